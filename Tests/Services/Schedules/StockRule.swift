/// The rule of stock of one aggregate in words, for plain dictionaries: what the store is compared with. It shares nothing with the
/// code that it judges.
struct StockRule {
  struct Value: Equatable {
    var quantity: Int64
    var unlimited: Bool
    /// created_on, in nanoseconds since 1970, as all times here.
    var time: Int64
  }

  /// A change of a value that was there before.
  struct Change: Equatable {
    var sku: String
    var mode: StockMessage.Mode
    var zeroed: Bool
    var old: Value
    var new: Value
  }

  struct Counts: Equatable {
    var applied = 0
    var stale = 0
    var clamped = 0
    var invalid = 0
    var zeroed = 0
  }

  enum Reply: Equatable {
    case counts(Counts)
    /// It waits for the operator.
    case waits
  }

  /// The NONZERO with the latest time so far.
  private struct Nonzero {
    var time: Int64
    var messages = 1
    var lastCame: Int64
    /// Whether what it leaves out is still to become 0.
    var isOpen = false
  }

  struct Waiting: Equatable {
    enum Reason { case future, zeros }
    var reason: Reason
    var mode: StockMessage.Mode
    var time: Int64
    var rows: [StockMessage.Row]
    /// When it came first.
    var since: Int64
  }

  private(set) var stock: [String: Value] = [:]
  /// In the order in which they happened.
  private(set) var history: [Change] = []
  /// What waits for the operator, in the order in which it came.
  private(set) var waiting: [Waiting] = []
  /// SKUs whose time the operator has reset.
  private(set) var reset: Set<String> = []
  private var last: Nonzero?
  /// Of each NONZERO's time, the SKUs that its messages have named or that it has set to 0: it has dealt with them.
  private var dealt: [Int64: Set<String>] = [:]
  /// The times that were given to what came from the future.
  private var given: [Int64: Int64] = [:]
  /// What is wrong with this rule, on purpose.
  private let flaw: Flaw?

  /// Rows that a part of a NONZERO has, at least: in real life 1 000.
  static let partSize = 4

  init(flaw: Flaw? = nil) { self.flaw = flaw }

  // MARK: Messages

  /// A message comes.
  mutating func take(_ message: StockMessage, now: Int64) -> Reply {
    let time = message.createdOn.nanoseconds
    guard time > now + 10 * SimulatedTime.minute, flaw != .takesTheFuture else {
      return .counts(apply(message.rows, message.mode, time, now: now, isPart: false))
    }
    let new = Waiting(reason: .future, mode: message.mode, time: time, rows: message.rows, since: now)
    if let index = waiting.firstIndex(where: { $0.isSame(as: new) }) {
      waiting[index].rows = message.rows
    } else {
      waiting.append(new)
    }
    return .waits
  }

  private mutating func apply(
    _ rows: [StockMessage.Row], _ mode: StockMessage.Mode, _ time: Int64, now: Int64, isPart: Bool
  ) -> Counts {
    var counts = Counts()
    // A later FULL or NONZERO says that an open NONZERO has no more parts.
    if mode != .delta, let open = last, open.isOpen, open.time < time, flaw != .neverEnds {
      last?.isOpen = false
      counts.zeroed += end(open.time, now: now)
    }
    let before = stock
    for row in rows {
      guard let quantity = row.quantity, !row.sku.isEmpty else {
        counts.invalid += 1
        continue
      }
      if let old = stock[row.sku], old.time > time || flaw == .equalTimesLose && old.time == time {
        counts.stale += 1
        continue
      }
      stock[row.sku] = Value(
        quantity: flaw == .keepsNegative ? quantity : max(0, quantity), unlimited: row.unlimited, time: time)
      if quantity < 0 { counts.clamped += 1 } else { counts.applied += 1 }
    }
    for sku in Set(rows.map(\.sku)) { note(sku, before[sku], mode, zeroed: false) }
    if mode == .nonzero { counts.zeroed += takeNonzero(rows, time, now: now, isPart: isPart) }
    return counts
  }

  private mutating func note(_ sku: String, _ old: Value?, _ mode: StockMessage.Mode, zeroed: Bool) {
    guard let old, let new = stock[sku], old.quantity != new.quantity || old.unlimited != new.unlimited else { return }
    history.append(Change(sku: sku, mode: mode, zeroed: zeroed, old: old, new: new))
  }

  // MARK: NONZEROs

  /// - Returns: how many SKUs it has set to 0.
  private mutating func takeNonzero(
    _ rows: [StockMessage.Row], _ time: Int64, now: Int64, isPart: Bool
  ) -> Int {
    // What a bad row names isn't left out either, nor what is newer.
    dealt[time, default: []].formUnion(rows.map(\.sku))
    let mayBePart = isPart || rows.count >= Self.partSize
    if let last, last.time > time {
      // A later one has said what is there, or will. A small one is still taken at its word for what it is older than.
      return last.isOpen || mayBePart ? 0 : end(time, now: now)
    }
    var run = Nonzero(time: time, lastCame: now)
    if let last, last.time == time { run.messages = last.messages + 1 }
    run.isOpen = mayBePart || run.messages > 1
    last = run
    return run.isOpen ? 0 : end(time, now: now)
  }

  /// Nothing more of a NONZERO is to come.
  private mutating func end(_ time: Int64, now: Int64) -> Int {
    let zeros = leftOut(by: time).filter { $0.value.quantity > 0 }.count
    // More than a fifth of twenty SKUs or more rather is a mistake.
    if stock.count >= 20, zeros * 5 > stock.count, flaw != .zeroesTooMany {
      waiting.removeAll { $0.reason == .zeros && $0.time < time }
      let new = Waiting(reason: .zeros, mode: .nonzero, time: time, rows: [], since: now)
      if !waiting.contains(where: { $0.isSame(as: new) }) { waiting.append(new) }
      return 0
    }
    return zero(time)
  }

  private func leftOut(by time: Int64) -> [String: Value] {
    stock.filter { sku, value in
      (!value.unlimited || flaw == .zeroesUnlimited) && (value.time <= time || flaw == .zeroesNewer)
        && !dealt[time, default: []].contains(sku)
    }
  }

  private mutating func zero(_ time: Int64) -> Int {
    let left = leftOut(by: time)
    for (sku, old) in left.sorted(by: { $0.key < $1.key }) {
      stock[sku] = Value(quantity: 0, unlimited: false, time: time)
      note(sku, old, .nonzero, zeroed: true)
    }
    dealt[time, default: []].formUnion(left.keys)
    return left.count
  }

  /// Nothing of the aggregate waits to be delivered.
  ///
  /// - Returns: nil when there is no NONZERO to end.
  mutating func close(now: Int64) -> Counts? {
    guard let run = last, run.isOpen, run.lastCame <= now - 15 * SimulatedTime.minute, flaw != .neverEnds else {
      return nil
    }
    // Parts of it may wait for the operator.
    let hasParts = waiting.contains { $0.reason == .future && $0.mode == .nonzero && given[$0.time] == run.time }
    if hasParts { return nil }
    last?.isOpen = false
    return Counts(zeroed: end(run.time, now: now))
  }

  // MARK: The operator

  /// What is decided together with one that waits: parts of one NONZERO.
  func together(with number: Int) -> [Waiting] {
    let one = waiting[number]
    guard one.reason == .future, one.mode == .nonzero else { return [one] }
    return waiting.filter { $0.reason == .future && $0.mode == .nonzero && $0.time == one.time }
  }

  /// - Parameter times: when each was decided on.
  /// - Returns: nil when nothing was applied.
  mutating func decide(_ decided: [Waiting], apply: Bool, times: [Int64]) -> Counts? {
    var total: Counts?
    for (one, now) in zip(decided, times) {
      let first = waiting.filter { $0.reason == .future && $0.time == one.time }.map(\.since).min() ?? now
      waiting.removeAll { $0 == one }
      guard apply else { continue }
      var counts: Counts
      switch one.reason {
      case .zeros: counts = Counts(zeroed: zero(one.time))
      case .future:
        // All that came with one time gets one time, that of when its first part came.
        let known = given[one.time]
        let time = known ?? min(first, now)
        given[one.time] = time
        let isPart = decided.count > 1 || known != nil
        counts = self.apply(one.rows, one.mode, time, now: now, isPart: isPart)
      }
      total = (total ?? Counts()) + counts
    }
    return total
  }

  /// The next message sets the SKU, whatever its time; the last NONZERO, which has come before, doesn't. What older ones have said
  /// of it is forgotten with its time.
  mutating func resetTime(_ sku: String) {
    guard stock[sku] != nil else { return }
    stock[sku]?.time = 0
    reset.insert(sku)
    for time in dealt.keys { dealt[time]?.remove(sku) }
    if let last { dealt[last.time, default: []].insert(sku) }
  }
}

extension StockRule.Counts {
  static func + (a: Self, b: Self) -> Self {
    Self(
      applied: a.applied + b.applied, stale: a.stale + b.stale, clamped: a.clamped + b.clamped,
      invalid: a.invalid + b.invalid, zeroed: a.zeroed + b.zeroed)
  }
}

extension StockRule.Waiting {
  /// Whether it waits already: sent again under another id.
  func isSame(as other: Self) -> Bool {
    reason == other.reason && mode == other.mode && time == other.time && essence == other.essence
  }

  /// What it says of each SKU, in order; rows that name none say nothing.
  private var essence: [String: [StockMessage.Row]] {
    Dictionary(grouping: rows.filter { !$0.sku.isEmpty }, by: \.sku)
  }
}

/// What a rule may have wrong, so as to see that a schedule finds it.
enum Flaw: String, CaseIterable, Sendable {
  case equalTimesLose, zeroesNewer, zeroesUnlimited, zeroesTooMany, keepsNegative, takesTheFuture, neverEnds
  /// Of the store: a delivery that comes again is applied again.
  case forgetsDeliveries
}
