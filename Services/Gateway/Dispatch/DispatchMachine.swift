/// Which messages of one destination are delivered when: in order per key, keys side by side, within limits. No I/O, no clock:
/// callers pass the time, do what ``nextActions(now:)`` says and tell what came of it.
///
/// The queue is in the journal, with any number of messages. In here are *lanes*, one per key that has something to deliver,
/// with the next few messages of each. The journal is read once from its beginning to its end (the *cursor*). Of a message
/// that has no room in its lane only the number is kept (`lastSeen`), and the lane reads on from there when it has room
/// (a *refill*). So memory does not grow with the queue, a key that waits holds up no other, and no message is read before an
/// older one of its key. When there are more keys than lanes, those whose next try is last leave theirs to others and wait in
/// the journal alone (*evicted*), until their time has come and they are read again (*resumed*).
struct DispatchMachine: Sendable {
  let limits: Limits
  let policy: DeliveryPolicy
  var breaker: CircuitBreaker
  var lanes: [LaneID: Lane] = [:]
  var ready = FIFO<LaneID>()
  var inFlight = 0
  var buffered = PageLimits(rows: 0, weight: 0)
  var reads = 0
  var loads = 0
  var cursor: Int64 = 0
  /// How often the destination has answered.
  var answers: UInt64 = 0
  var isScanning = false
  var wantsScan = true
  var wantsRefill = FIFO<LaneID>()
  var requeued: [(id: Int64, lane: LaneID)] = []
  var withheld: Set<Int64> = []
  /// Given up while the journal was being read, which may give them out still.
  var givenUpMeanwhile: Set<Int64> = []
  /// Parked lanes, and when the first of them is due.
  var parked = 0
  var firstDue: WallTime?
  /// Those of them that the journal knows the time of, so that they may be evicted.
  var stored = 0
  var evicted = Evicted()
  var sweep = Sweep()
  /// When there was last something to do.
  var lastLook = WallTime.distantPast

  init(policy: DeliveryPolicy, limits: Limits = Limits(), breaker: CircuitBreaker = CircuitBreaker()) {
    self.policy = policy
    self.limits = limits
    self.breaker = breaker
  }

  /// Deliveries that are under way or whose end is not durable yet.
  var unsettled: Int { inFlight }

  /// When there may be something to do without anything having happened; nil for never.
  func nextDue(now: WallTime) -> WallTime? {
    let breakerDue = ready.isEmpty || inFlight > 0 ? nil : breaker.openUntil
    return [canLoad ? firstDue : nil, breakerDue, resumeTime, sweepTime].compactMap { $0 }.min()
  }

  mutating func nextActions(now: WallTime) -> [Action] {
    var actions: [Action] = []
    resumeDue(now, &actions)
    readRequeued(now, &actions)
    deliver(now, &actions)
    refill(&actions)
    resumeEvicted(now, &actions)
    sweepDue(now, &actions)
    if wantsScan, !isScanning, !sweep.isUnderWay, hasRoom, hasLane {
      wantsScan = false
      isScanning = true
      actions.append(.scan(after: cursor))
    }
    return actions
  }

  var hasRoom: Bool {
    buffered.rows <= limits.buffered.rows / 2 && buffered.weight <= limits.buffered.weight / 2
  }

  var canLoad: Bool {
    loads < limits.loads && buffered.rows + loads < limits.buffered.rows && buffered.weight < limits.buffered.weight
  }

  mutating func deliver(_ now: WallTime, _ actions: inout [Action]) {
    while inFlight < limits.inFlight, breaker.admits(inFlight: inFlight, now: now), let id = ready.popFirst() {
      guard var lane = lanes[id], lane.state == .ready else { continue }
      guard let message = takeNext(&lane) else {
        lane.state = .idle
        lanes[id] = lane
        makeReady(id)
        continue
      }
      inFlight += 1
      lane.state = .delivering(message.id)
      lane.unsettled.insert(message.id)
      lane.answersAtStart = answers
      lanes[id] = lane
      if lane.hasMore && lane.buffer.count <= limits.laneRows / 4 { wantsRefill.append(id) }
      actions.append(.deliver(message, id))
    }
  }

  /// The lane's next message that is not withheld.
  mutating func takeNext(_ lane: inout Lane) -> PendingMessage? {
    while !lane.buffer.isEmpty {
      let message = lane.buffer.removeFirst()
      unbuffer(message)
      if !withheld.contains(message.id) { return message }
    }
    return nil
  }

  /// There may be new messages in the journal.
  mutating func woken() { wantsScan = true }
}
