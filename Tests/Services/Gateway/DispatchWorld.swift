import Testing

@testable import Gateway

/// A journal in memory, and what is delivered out of it.
struct World {
  var rows: [(message: PendingMessage, isPending: Bool)] = []
  var machine: DispatchMachine
  var now = WallTime(seconds: 1_000_000)
  var delivered: [Int64] = []
  var underWay: [(message: PendingMessage, lane: DispatchMachine.LaneID)] = []
  var unsettled: [(id: Int64, lane: DispatchMachine.LaneID, decision: DispatchMachine.Decision)] = []
  var reads: [DispatchMachine.Action] = []
  var mostHeld = 0
  var mostLanes = 0
  /// What was given up without a try, a batch each.
  var swept: [[Int64]] = []
  /// Delivered before its first try while an older message of its key waited: the message, and the older one.
  var misplaced: [(Int64, Int64)] = []
  /// Delivered though they did not wait, or were being given up.
  var deliveredOutsideQueue: [Int64] = []
  private var beingGivenUp: Set<Int64> = []
  /// Since they came or were replayed.
  private var tried: Set<Int64> = []

  init(_ policy: DeliveryPolicy = .incoming, limits: DispatchMachine.Limits = .init()) {
    machine = DispatchMachine(policy: policy, limits: limits)
  }

  mutating func add(_ key: String) {
    let id = Int64(rows.count + 1)
    rows.append(
      (
        PendingMessage(
          id: id, deliveryID: "\(id)", method: "m", key: key, body: [], traceparent: "", waitingSince: now,
          attempts: AttemptLog(), nextAttemptAt: nil, replayCount: 0), true
      ))
    machine.woken()
  }

  /// What waits for its next try.
  private var waiting: [DueMessage] {
    rows.filter { $0.isPending }.compactMap { row in
      row.message.nextAttemptAt.map { DueMessage(key: row.message.key, place: .init(due: $0, id: row.message.id)) }
    }.sorted { ($0.place.due, $0.id) < ($1.place.due, $1.id) }
  }

  /// Takes over what there is to do; reads are answered by ``answerRead(_:)``.
  mutating func pump() {
    for action in machine.nextActions(now: now) {
      if case .deliver(let message, let lane) = action {
        check(message)
        underWay.append((message, lane))
      } else {
        reads.append(action)
      }
    }
    mostHeld = max(mostHeld, underWay.count + unsettled.count)
    mostLanes = max(mostLanes, machine.lanes.count)
  }

  private mutating func check(_ message: PendingMessage) {
    let outside = Set((underWay.map(\.message.id) + unsettled.map(\.id)))
    if !rows[Int(message.id) - 1].isPending || outside.contains(message.id) || beingGivenUp.contains(message.id) {
      deliveredOutsideQueue.append(message.id)
    }
    guard !message.key.isEmpty, !tried.contains(message.id) else { return }
    let older = rows.first {
      $0.isPending && $0.message.key == message.key && $0.message.id < message.id && !outside.contains($0.message.id)
        && !beingGivenUp.contains($0.message.id)
    }
    if let older { misplaced.append((message.id, older.message.id)) }
  }

  /// As the journal does.
  mutating func replay(_ id: Int64) {
    rows[Int(id) - 1].isPending = true
    tried.remove(id)
    rows[Int(id) - 1].message.attempts = AttemptLog()
    rows[Int(id) - 1].message.nextAttemptAt = nil
    let hasRoom = machine.requeue(id, key: rows[Int(id) - 1].message.key)
    #expect(hasRoom)
  }

  mutating func withhold(_ id: Int64) -> Bool {
    guard machine.withhold(id, key: rows[Int(id) - 1].message.key) else { return false }
    beingGivenUp.insert(id)
    return true
  }

  mutating func giveUp(_ id: Int64) {
    beingGivenUp.remove(id)
    rows[Int(id) - 1].isPending = false
    machine.released(id, key: rows[Int(id) - 1].message.key)
    pump()
  }

  mutating func answerRead(_ index: Int) {
    // As the dispatcher does, which waits for the end of the last try.
    if case .load(let id, _) = reads[index], unsettled.contains(where: { $0.id == id }) {
      reads.append(reads.remove(at: index))
      return
    }
    switch reads.remove(at: index) {
    case .scan(let after):
      let limit = machine.limits.page.rows
      let found = rows.map(\.message).filter { $0.id > after && rows[Int($0.id) - 1].isPending }
      machine.scanned(PendingPage(messages: Array(found.prefix(limit)), isLast: found.count <= limit), now: now)
    case .refill(let key, let after, let through):
      let limit = machine.limits.laneRows
      let found = rows.map(\.message).filter {
        $0.key == key && $0.id > after && $0.id <= through && rows[Int($0.id) - 1].isPending
      }
      machine.refilled(
        key, through: through, PendingPage(messages: Array(found.prefix(limit)), isLast: found.count <= limit),
        now: now)
    case .load(let id, let lane):
      let row = rows[Int(id) - 1]
      machine.loaded(id, lane, row.isPending ? row.message : nil)
    case .resume(let place):
      let found = waiting.filter { ($0.place.due, $0.id) > (place.due, place.id) }
      let limit = machine.limits.page.rows
      machine.resumed(DuePage(messages: Array(found.prefix(limit)), isLast: found.count < limit), now: now)
    case .sweep(let after, let before):
      let limit = machine.limits.page.rows
      let found = rows.filter { $0.isPending && $0.message.id > after }.map { $0.message }
      let page = PendingPage(messages: Array(found.prefix(limit)), isLast: found.count <= limit)
      let old = machine.beginSweep(page, before: before)
      for message in old { rows[Int(message.id) - 1].isPending = false }
      swept.append(old.map { $0.id })
      machine.swept(old, page, before: before, now: now)
    case .deliver: break
    }
    pump()
  }

  mutating func end(_ index: Int, _ outcome: DeliveryOutcome) {
    var (message, lane) = underWay.remove(at: index)
    tried.insert(message.id)
    var isHeld = false
    if case .held = outcome { isHeld = true }
    if machine.isCounted(outcome, lane, now) || (machine.policy.lifetime != nil && !isHeld) {
      message.attempts.add(.init(startedAt: now, duration: .zero, error: outcome.reason))
      rows[Int(message.id) - 1].message.attempts = message.attempts
    }
    if case .delivered = outcome { delivered.append(message.id) }
    let decision = machine.delivered(message, lane, outcome, at: now, random: 1)
    unsettled.append((message.id, lane, decision))
    pump()
  }

  mutating func settle(_ index: Int) {
    let (id, lane, decision) = unsettled.remove(at: index)
    switch decision {
    case .finish: rows[Int(id) - 1].isPending = false
    case .postpone(let until, _): rows[Int(id) - 1].message.nextAttemptAt = until
    case .nothing: break
    }
    machine.settled(id, lane)
    pump()
  }

  /// Everything that can be done without time passing, in order; deliveries end as `outcome` says.
  mutating func settleAll(_ outcome: (PendingMessage) -> DeliveryOutcome) {
    pump()
    while true {
      if !unsettled.isEmpty {
        settle(0)
      } else if !reads.isEmpty {
        answerRead(0)
      } else if let first = underWay.first {
        end(0, outcome(first.message))
      } else {
        return
      }
    }
  }

  mutating func pass(_ duration: Duration) {
    now = now + duration
    pump()
  }
}

extension DeliveryOutcome {
  static let success = DeliveryOutcome.delivered(result: [])
}
