import Storage

/// The rows of an outbox that the relay has in hand: in lanes, one for each key, of which each hands over one row at a time.
///
/// Does nothing by itself: it is told what happened and asked what to do next, so that its rules can be tested without a
/// gateway. Its size is bounded, however many rows wait in the store.
struct RelayWindow {
  /// What it may hold, and how many calls may be under way.
  struct Limits: Sendable {
    var rows = 1_024
    var bytes = 8 << 20
    var calls = 32
  }

  /// A row without a key is in order with nobody.
  private enum LaneKey: Hashable {
    case key(String)
    case row(Int64)
  }

  private struct Lane {
    /// In order; the first is the one under way, when one is.
    var rows: [OutboxRow] = []
    var isUnderWay = false
    /// Failures of the first row.
    var failures = 0

    /// At its place by the id, behind what is under way: a row that committed late comes late.
    mutating func insert(_ row: OutboxRow) {
      var place = rows.count
      while place > (isUnderWay ? 1 : 0), rows[place - 1].id > row.id { place -= 1 }
      rows.insert(row, at: place)
    }
  }

  private let limits: Limits
  private var lanes: [LaneKey: Lane] = [:]
  /// Lanes with a row that may be handed over, in the order in which they became so.
  private var ready: [LaneKey] = []
  /// Lanes whose first row failed, and when it is tried again.
  private var paused: [LaneKey: UInt64] = [:]
  private var laneOf: [Int64: LaneKey] = [:]
  private var bytes = 0
  /// Rows that are settled and still in the store.
  private var settled: Set<Int64> = []
  /// Calls under way.
  private(set) var calls = 0

  init(limits: Limits = Limits()) { self.limits = limits }

  /// Nothing to hand over, and nothing under way.
  var isEmpty: Bool { laneOf.isEmpty }
  /// All rows that it knows of.
  var known: Set<Int64> { settled.union(laneOf.keys) }

  /// How much it may take; nil when that is little, so that the store isn't asked for every single row.
  var room: Outbox.Room? {
    let rows = limits.rows - laneOf.count - settled.count
    guard rows >= max(1, limits.rows / 4), bytes < limits.bytes else { return nil }
    return Outbox.Room(rows: rows, bytes: limits.bytes - bytes)
  }

  /// Takes rows that the store has, which it must not know yet.
  mutating func add(_ rows: [OutboxRow]) {
    for row in rows {
      let key: LaneKey = row.message.key.isEmpty ? .row(row.id) : .key(row.message.key)
      precondition(laneOf.updateValue(key, forKey: row.id) == nil, "row \(row.id) is there already")
      bytes += row.message.body.count
      let isNew = lanes[key] == nil
      lanes[key, default: Lane()].insert(row)
      if isNew { ready.append(key) }
    }
  }

  /// The next row to hand over, which is under way from now on.
  ///
  /// - Parameters:
  ///   - now: of a clock that never goes back, in nanoseconds.
  ///   - limit: calls that may be under way; no more than the limits say in any case.
  mutating func next(now: UInt64, limit: Int = .max) -> OutboxRow? {
    for (key, time) in paused where time <= now {
      paused[key] = nil
      ready.append(key)
    }
    guard calls < min(limit, limits.calls), !ready.isEmpty else { return nil }
    let key = ready.removeFirst()
    lanes[key]?.isUnderWay = true
    calls += 1
    return lanes[key]?.rows.first
  }

  /// When the next row that failed is to be tried again.
  var nextTime: UInt64? { paused.values.min() }

  /// The gateway has the row, or will never take it. The next one of its key may go.
  ///
  /// It stays known until ``removed(_:)``.
  mutating func settle(_ id: Int64) {
    guard let key = laneOf.removeValue(forKey: id), var lane = lanes[key], lane.rows.first?.id == id else {
      preconditionFailure("row \(id) is not under way")
    }
    bytes -= lane.rows.removeFirst().message.body.count
    settled.insert(id)
    calls -= 1
    lane.isUnderWay = false
    lane.failures = 0
    lanes[key] = lane.rows.isEmpty ? nil : lane
    if !lane.rows.isEmpty { ready.append(key) }
  }

  /// The row is to be tried again, and those of its key wait with it.
  ///
  /// - Parameter pause: how long, in nanoseconds, from how often the row has failed in succession; nil when it is not about
  ///   the row.
  mutating func failed(_ id: Int64, now: UInt64, pause: ((_ failures: Int) -> UInt64)? = nil) {
    guard let key = laneOf[id], lanes[key]?.isUnderWay == true else {
      preconditionFailure("row \(id) is not under way")
    }
    calls -= 1
    lanes[key]?.isUnderWay = false
    guard let pause else {
      ready.append(key)
      return
    }
    lanes[key]?.failures += 1
    paused[key] = now &+ pause(lanes[key]?.failures ?? 1)
  }

  /// The row is to be handed over with another delivery id. It stays under way.
  mutating func renew(_ row: OutboxRow) {
    guard let key = laneOf[row.id], lanes[key]?.rows.first?.id == row.id else {
      preconditionFailure("row \(row.id) is not under way")
    }
    lanes[key]?.rows[0] = row
  }

  /// Rows that were settled are gone from the store.
  mutating func removed(_ ids: some Sequence<Int64>) { settled.subtract(ids) }

  /// Forgets the rows that wait: another replica has them now. What is under way ends as it does.
  mutating func dropWaiting() {
    ready = []
    paused = [:]
    for (key, lane) in lanes {
      let kept = lane.isUnderWay ? 1 : 0
      for row in lane.rows.dropFirst(kept) {
        laneOf[row.id] = nil
        bytes -= row.message.body.count
      }
      lanes[key] = kept == 0 ? nil : Lane(rows: [lane.rows[0]], isUnderWay: true, failures: lane.failures)
    }
  }
}
