/// Which messages of one destination are delivered when: in order per key, keys side by side, within limits. No I/O, no clock:
/// callers pass the time, do what ``nextActions(now:)`` says and tell what came of it.
///
/// The queue is in the journal, with any number of messages. In here are *lanes*, one per key that has something to deliver,
/// with the next few messages of each. The journal is read once from its beginning to its end (the *cursor*). Of a message
/// that has no room in its lane only the number is kept (`lastSeen`), and the lane reads on from there when it has room
/// (a *refill*). So memory does not grow with the queue, a key that waits holds up no other, and no message is read before an
/// older one of its key.
struct DispatchMachine: Sendable {
  struct Limits: Sendable {
    /// Deliveries at one time.
    var inFlight = 64
    /// Keys that are worked on at one time, those that wait for their next try included.
    var lanes = 10_000
    /// Messages held for delivery.
    var buffered = PageLimits(rows: 2_048, weight: 16 << 20)
    /// One reading of the journal.
    var page = PageLimits(rows: 512, weight: 4 << 20)
    /// Messages that one lane holds.
    var laneRows = 128
    /// Reads for single lanes at one time.
    var reads = 4
    /// Single messages that are being read at one time.
    var loads = 256
    /// Replayed messages that wait to be read.
    var requeued = 1_024
    /// Messages that are being given up by operators at one time.
    var withheld = 1_024
  }

  /// A key's lane; a message without a key has one of its own.
  enum LaneID: Hashable, Sendable {
    case key(String)
    case single(Int64)

    init(_ message: PendingMessage) { self = message.key.isEmpty ? .single(message.id) : .key(message.key) }
  }

  enum Action: Equatable, Sendable {
    /// To be answered by ``delivered(_:_:_:at:random:)`` and then ``settled(_:_:)``.
    case deliver(PendingMessage, LaneID)
    /// To be answered by ``scanned(_:)``.
    case scan(after: Int64)
    /// To be answered by ``refilled(_:through:_:)``.
    case refill(key: String, after: Int64, through: Int64)
    /// To be answered by ``loaded(_:_:_:)``.
    case load(Int64, LaneID)
  }

  /// What the journal is to note of a try.
  enum Decision: Equatable, Sendable {
    case finish(MessageStatus, reason: String, result: [UInt8])
    case postpone(until: WallTime, reason: String)
    /// The try does not count.
    case nothing
  }

  private struct Lane {
    enum State: Equatable {
      case idle
      /// In the queue of lanes that have something to deliver.
      case ready
      case delivering(Int64)
      /// Until its message's end is durable.
      case settling
      /// Its next message failed and is tried again then.
      case parked(Int64, Wait, byDestination: Bool)
      /// Its next message is being read.
      case loading(Int64)
    }

    var state = State.idle
    /// The next first.
    var buffer: [PendingMessage] = []
    /// Everything of this key through here is in the buffer or beyond it.
    var lastLoaded: Int64 = 0
    /// The last message of this key in the journal, as far as it was read.
    var lastSeen: Int64 = 0
    /// Through which message the journal is being read for this lane.
    var refilling: Int64?
    /// The refill that is under way is to be forgotten: the lane waits now, or there is more to read, and it will ask again.
    var isRefillStale = false
    /// The message that is being read was given up meanwhile.
    var isLoadStale = false
    /// What was delivered, until that is durable: the journal gives it out still.
    var unsettled: Set<Int64> = []
    /// What has become durable since the refill that is under way began.
    var settledMeanwhile: Set<Int64> = []
    /// Replayed before their last delivery was durable.
    var again: Set<Int64> = []

    var hasMore: Bool { lastSeen > lastLoaded }

    /// Whether a message that was read from the journal is on its way already, or is through.
    func isUnderWay(_ id: Int64) -> Bool {
      switch state {
      case .parked(id, _, _), .loading(id): true
      default: unsettled.contains(id) || settledMeanwhile.contains(id)
      }
    }
  }

  let limits: Limits
  private let policy: DeliveryPolicy
  private(set) var breaker: CircuitBreaker
  private var lanes: [LaneID: Lane] = [:]
  private var ready = FIFO<LaneID>()
  private var inFlight = 0
  private var buffered = PageLimits(rows: 0, weight: 0)
  private var reads = 0
  private var loads = 0
  private var cursor: Int64 = 0
  private var isScanning = false
  private var wantsScan = true
  private var wantsRefill = FIFO<LaneID>()
  private var requeued: [(id: Int64, lane: LaneID)] = []
  private var withheld: Set<Int64> = []
  /// Given up while the journal was being read, which may give them out still.
  private var givenUpMeanwhile: Set<Int64> = []
  /// Parked lanes, and when the first of them is due.
  private var parked = 0
  private var firstDue: WallTime?
  /// When there was last something to do.
  private var lastLook = WallTime.distantPast

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
    return [canLoad ? firstDue : nil, breakerDue].compactMap { $0 }.min()
  }

  // MARK: What there is to do

  mutating func nextActions(now: WallTime) -> [Action] {
    var actions: [Action] = []
    resumeDue(now, &actions)
    readRequeued(&actions)
    deliver(now, &actions)
    refill(&actions)
    if wantsScan, !isScanning, hasRoom, lanes.count < limits.lanes {
      wantsScan = false
      isScanning = true
      actions.append(.scan(after: cursor))
    }
    return actions
  }

  private var hasRoom: Bool {
    buffered.rows <= limits.buffered.rows / 2 && buffered.weight <= limits.buffered.weight / 2
  }

  private var canLoad: Bool {
    loads < limits.loads && buffered.rows + loads < limits.buffered.rows && buffered.weight < limits.buffered.weight
  }

  private mutating func deliver(_ now: WallTime, _ actions: inout [Action]) {
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
      lanes[id] = lane
      if lane.hasMore && lane.buffer.count <= limits.laneRows / 4 { wantsRefill.append(id) }
      actions.append(.deliver(message, id))
    }
  }

  /// The lane's next message that is not withheld.
  private mutating func takeNext(_ lane: inout Lane) -> PendingMessage? {
    while !lane.buffer.isEmpty {
      let message = lane.buffer.removeFirst()
      unbuffer(message)
      if !withheld.contains(message.id) { return message }
    }
    return nil
  }

  private mutating func refill(_ actions: inout [Action]) {
    while reads < limits.reads, buffered.rows < limits.buffered.rows, buffered.weight < limits.buffered.weight,
      let id = wantsRefill.popFirst()
    {
      guard case .key(let key) = id, let lane = lanes[id], lane.hasMore, lane.refilling == nil, !isParked(lane) else {
        continue
      }
      lanes[id]?.refilling = lane.lastSeen
      lanes[id]?.settledMeanwhile = []
      reads += 1
      actions.append(.refill(key: key, after: lane.lastLoaded, through: lane.lastSeen))
    }
  }

  /// Reads the parked messages that are due.
  private mutating func resumeDue(_ now: WallTime, _ actions: inout [Action]) {
    let wasSetBack = now < lastLook
    lastLook = now
    guard parked > 0, canLoad, let due = firstDue, due <= now || wasSetBack else { return }
    var next: WallTime?
    for (id, lane) in lanes {
      guard case .parked(let message, let wait, _) = lane.state else { continue }
      if wait.isOver(now) && canLoad {
        parked -= 1
        load(message, id, &actions)
      } else {
        next = min(next ?? wait.until, wait.until)
      }
    }
    firstDue = next
  }

  private mutating func load(_ message: Int64, _ id: LaneID, _ actions: inout [Action]) {
    loads += 1
    lanes[id]?.state = .loading(message)
    actions.append(.load(message, id))
  }

  // MARK: What has happened

  /// There may be new messages in the journal.
  mutating func woken() { wantsScan = true }

  /// The journal could not be read: ``nextActions(now:)`` asks again.
  mutating func scanFailed() {
    isScanning = false
    givenUpMeanwhile = []
    wantsScan = true
  }

  mutating func scanned(_ page: PendingPage, now: WallTime) {
    isScanning = false
    defer { givenUpMeanwhile = [] }
    for message in page.messages where !givenUpMeanwhile.contains(message.id) {
      let id = LaneID(message)
      if lanes[id] == nil && lanes.count >= limits.lanes {
        wantsScan = true
        return
      }
      cursor = message.id
      add(message, id, now)
    }
    if !page.isLast { wantsScan = true }
  }

  private mutating func add(_ message: PendingMessage, _ id: LaneID, _ now: WallTime) {
    var lane = lanes[id] ?? Lane(lastLoaded: message.id - 1)
    let isNext = lane.state == .idle && lane.buffer.isEmpty && !lane.hasMore
    if isNext, let due = message.nextAttemptAt, due > now {
      // From before a restart.
      let wait = Wait(until: min(due, now + longestWait), from: now)
      lane.state = .parked(message.id, wait, byDestination: true)
      lane.lastLoaded = message.id
      parked += 1
      firstDue = min(firstDue ?? wait.until, wait.until)
    } else if !lane.hasMore && !isParked(lane) && lane.buffer.count < limits.laneRows {
      lane.lastLoaded = message.id
      buffer(message, in: &lane)
    }
    lane.lastSeen = message.id
    lanes[id] = lane
    makeReady(id)
  }

  private var longestWait: Duration { max(policy.backOff.limit, CircuitBreaker.longestRetryAfter) }

  private func isParked(_ lane: Lane) -> Bool {
    switch lane.state {
    case .parked, .loading: true
    default: false
    }
  }

  mutating func refilled(_ key: String, through: Int64, _ page: PendingPage) {
    reads -= 1
    let id = LaneID.key(key)
    guard var lane = lanes[id] else { return }
    lane.refilling = nil
    if !lane.isRefillStale {
      for message in page.messages where !lane.isUnderWay(message.id) { buffer(message, in: &lane) }
      lane.lastLoaded = page.isLast ? through : page.messages.last?.id ?? lane.lastLoaded
    }
    lane.isRefillStale = false
    lane.settledMeanwhile = []
    lanes[id] = lane
    makeReady(id)
  }

  /// A lane could not be read: it asks again.
  mutating func refillFailed(_ key: String) {
    reads -= 1
    guard var lane = lanes[.key(key)] else { return }
    (lane.refilling, lane.isRefillStale, lane.settledMeanwhile) = (nil, false, [])
    lanes[.key(key)] = lane
    wantsRefill.append(.key(key))
  }

  /// - Parameter message: nil when it does not wait any more.
  mutating func loaded(_ id: Int64, _ laneID: LaneID, _ message: PendingMessage?) {
    loads -= 1
    guard var lane = lanes[laneID] else { return }
    if lane.state == .loading(id) { lane.state = .idle }
    if let message, !lane.isLoadStale {
      lane.buffer.insert(message, at: 0)
      rebuffer(message)
    }
    lane.isLoadStale = false
    lanes[laneID] = lane
    makeReady(laneID)
  }

  /// A message could not be read: it is tried again at that time.
  mutating func loadFailed(_ id: Int64, _ laneID: LaneID, now: WallTime, retryAfter delay: Duration) {
    loads -= 1
    park(laneID, id, Wait(until: now + delay, from: now), byDestination: false)
  }

  /// A try has ended.
  ///
  /// - Parameters:
  ///   - attempts: of the message, this try included.
  ///   - random: 0…1, spreads the next tries.
  /// - Returns: what is to be made durable, after which ``settled(_:_:)`` is to be called; it is also called for `.nothing`.
  mutating func delivered(
    _ message: PendingMessage, _ id: LaneID, _ outcome: DeliveryOutcome, at now: WallTime, random: Double
  ) -> Decision {
    let decision: Decision
    var until: WallTime?
    switch outcome {
    case .delivered(let result):
      destinationAnswered(now)
      decision = .finish(.success, reason: "", result: result)
    case .refused(let reason, let reply):
      destinationAnswered(now)
      decision = .finish(policy.givenUp, reason: reason, result: reply)
    case .failed(let reason):
      destinationAnswered(now)
      let isLast = policy.maximumAttempts.map { message.attempts.count >= $0 } ?? false
      if isLast || isTooOld(message, now) {
        decision = .finish(policy.givenUp, reason: exhausted(message, reason), result: [])
      } else {
        until = now + policy.backOff.delay(afterFailures: message.attempts.count, random: random)
        decision = .postpone(until: until ?? now, reason: reason)
      }
    case .unavailable(let reason, let retryAfter):
      breaker.failed(reason, retryAfter: retryAfter, now: now, random: random)
      if isTooOld(message, now) {
        decision = .finish(policy.givenUp, reason: exhausted(message, reason), result: [])
      } else {
        let delay = policy.backOff.delay(afterFailures: max(1, message.attempts.count), random: random)
        until = max(now + delay, breaker.openUntil ?? now)
        decision = policy.lifetime == nil ? .nothing : .postpone(until: until ?? now, reason: reason)
      }
    case .held(let reason):
      breaker.held(reason, now: now)
      until = breaker.openUntil
      decision = .nothing
    }
    if let until {
      park(id, message.id, Wait(until: until, from: now), byDestination: !outcome.isTry)
    } else if policy.settlesBeforeNext {
      lanes[id]?.state = .settling
    } else {
      lanes[id]?.state = .idle
      makeReady(id)
    }
    return decision
  }

  /// What ``delivered(_:_:_:at:random:)`` decided is durable.
  mutating func settled(_ message: Int64, _ id: LaneID) {
    inFlight -= 1
    guard var lane = lanes[id] else { return }
    lane.unsettled.remove(message)
    if lane.refilling != nil { lane.settledMeanwhile.insert(message) }
    if lane.state == .settling { lane.state = .idle }
    // It takes the place of one that was under way, so the limit holds without looking.
    if lane.again.remove(message) != nil { requeued.append((message, id)) }
    lanes[id] = lane
    makeReady(id)
  }

  /// Time in which it could not be tried, because the connector was stopped or held back, does not count.
  private func isTooOld(_ message: PendingMessage, _ now: WallTime) -> Bool {
    guard let lifetime = policy.lifetime else { return false }
    let since = max(message.waitingSince, message.attempts.attempts.first?.startedAt ?? message.waitingSince)
    return now - since >= lifetime
  }

  private func exhausted(_ message: PendingMessage, _ reason: String) -> String {
    "given up after \(message.attempts.count) tries: \(reason)"
  }

  /// All that waited for the destination need wait no longer.
  private mutating func destinationAnswered(_ now: WallTime) {
    guard breaker.succeeded(), parked > 0 else { return }
    for (id, lane) in lanes {
      guard case .parked(let message, _, true) = lane.state else { continue }
      lanes[id]?.state = .parked(message, Wait(until: now, from: now), byDestination: true)
    }
    firstDue = now
  }

  // MARK: Operators

  /// Whether one more replayed message may wait to be read.
  var canRequeue: Bool { requeued.count < limits.requeued }

  /// A message that had ended waits again. It is delivered before what is newer of its key and still waits.
  ///
  /// - Returns: false when too many wait to be read; ask again when some have been.
  mutating func requeue(_ id: Int64, key: String) -> Bool {
    guard canRequeue else { return false }
    requeued.append((id, key.isEmpty ? .single(id) : .key(key)))
    // The cursor may be before it, and nothing else may make it go on.
    wantsScan = true
    return true
  }

  /// Reads replayed messages, those that the cursor has passed: it comes to the others by itself.
  private mutating func readRequeued(_ actions: inout [Action]) {
    guard !requeued.isEmpty else { return }
    var later: [(id: Int64, lane: LaneID)] = []
    for (id, laneID) in requeued {
      let hasLane = lanes[laneID] != nil || lanes.count < limits.lanes
      if id > cursor || !hasLane || !readAgain(id, laneID, &actions) { later.append((id, laneID)) }
    }
    requeued = later
  }

  /// A message behind the cursor is to be delivered. The lane reads on from there, so that its messages stay in order however
  /// many of them are replayed; what it held beyond is read once more. A message that has been tried stays the lane's first.
  ///
  /// - Returns: false when there is no room.
  private mutating func readAgain(_ id: Int64, _ laneID: LaneID, _ actions: inout [Action]) -> Bool {
    var lane = lanes[laneID] ?? Lane(lastLoaded: id - 1, lastSeen: id - 1)
    switch lane.state {
    // It comes up by itself, unless what is being read was given up before it was replayed.
    case .parked(id, _, _): return true
    case .loading(id): return !lane.isLoadStale
    default: break
    }
    if lane.unsettled.contains(id) {
      lanes[laneID]?.again.insert(id)
      return true
    }
    if lane.buffer.contains(where: { $0.id == id }) { return true }
    if case .single = laneID {
      guard canLoad else { return false }
      (lane.lastLoaded, lane.lastSeen) = (id, id)
      lanes[laneID] = lane
      load(id, laneID, &actions)
      return true
    }
    if id <= lane.lastLoaded {
      for message in lane.buffer where message.id > id { unbuffer(message) }
      lane.buffer.removeAll { $0.id > id }
      lane.lastLoaded = id - 1
      if lane.state == .ready && lane.buffer.isEmpty { lane.state = .idle }
    }
    lane.lastSeen = max(lane.lastSeen, id)
    if let through = lane.refilling, id <= through { lane.isRefillStale = true }
    lanes[laneID] = lane
    makeReady(laneID)
    return true
  }

  /// Holds a message back, if it comes up, while an operator gives it up; ``released(_:key:)`` ends that.
  ///
  /// - Returns: false when it is being delivered right now, or when too many are held back.
  mutating func withhold(_ id: Int64, key: String) -> Bool {
    if lanes[key.isEmpty ? .single(id) : .key(key)]?.unsettled.contains(id) ?? false { return false }
    guard withheld.count < limits.withheld, givenUpMeanwhile.count < limits.withheld else { return false }
    withheld.insert(id)
    return true
  }

  /// The message does not wait any more, or could not be given up: then it is to be requeued.
  mutating func released(_ id: Int64, key: String) {
    withheld.remove(id)
    // What is being read may have been read before.
    if isScanning { givenUpMeanwhile.insert(id) }
    let laneID: LaneID = key.isEmpty ? .single(id) : .key(key)
    guard var lane = lanes[laneID] else { return }
    if lane.refilling != nil { lane.isRefillStale = true }
    if let index = lane.buffer.firstIndex(where: { $0.id == id }) { unbuffer(lane.buffer.remove(at: index)) }
    switch lane.state {
    case .parked(id, _, let byDestination):
      // Its key goes on at once: the message is looked up, and isn't there.
      lane.state = .parked(id, Wait(until: .distantPast, from: .distantPast), byDestination: byDestination)
      firstDue = .distantPast
    case .loading(id): lane.isLoadStale = true
    default: break
    }
    lanes[laneID] = lane
  }

  // MARK: Lanes

  private mutating func makeReady(_ id: LaneID) {
    guard let lane = lanes[id], lane.state == .idle else { return }
    if !lane.buffer.isEmpty {
      lanes[id]?.state = .ready
      ready.append(id)
    } else if lane.hasMore {
      if lane.refilling == nil { wantsRefill.append(id) }
    } else if lane.refilling == nil && lane.unsettled.isEmpty {
      lanes[id] = nil
    }
  }

  /// A lane that waits holds only the number of its next message, so that many may wait.
  private mutating func park(_ id: LaneID, _ message: Int64, _ wait: Wait, byDestination: Bool) {
    guard var lane = lanes[id] else { return }
    lane.state = .parked(message, wait, byDestination: byDestination)
    lane.isRefillStale = lane.refilling != nil
    if let first = lane.buffer.map(\.id).min() {
      for message in lane.buffer { unbuffer(message) }
      lane.buffer = []
      lane.lastLoaded = min(lane.lastLoaded, first - 1)
    }
    lanes[id] = lane
    parked += 1
    firstDue = min(firstDue ?? wait.until, wait.until)
  }

  private mutating func buffer(_ message: PendingMessage, in lane: inout Lane) {
    lane.buffer.append(message)
    rebuffer(message)
  }

  private mutating func rebuffer(_ message: PendingMessage) {
    buffered.rows += 1
    buffered.weight += message.weight
  }

  private mutating func unbuffer(_ message: PendingMessage) {
    buffered.rows -= 1
    buffered.weight -= message.weight
  }
}
