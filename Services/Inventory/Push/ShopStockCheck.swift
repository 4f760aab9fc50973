import Commerce
import EventLoop
import ServiceKit
import Storage

/// Looks now and then whether somebody has changed stock in the shop, tells it, and has the OMS's value sent again
/// (magento-rules.md §6, "Blocking in the shop").
///
/// What one look shows may be a shipment that sales has not noted yet: so it has to be there in a second look some time later, with
/// nothing pushed in between and nothing due. Of all replicas one looks, and the next look is when an interval is over.
final class ShopStockCheck: Sendable {
  /// How long a replica that has died while it looked keeps the others from it.
  static let hold = Duration.seconds(60)
  /// SKUs that are read from the store at a time.
  static let page = 500
  /// SKUs that one round takes for changed; those behind them are the next round's.
  static let suspects = 5_000
  /// The longest time between two looks.
  static let longestPause = Duration.seconds(600)
  private static let lease = "shop stock check"

  struct Options: Sendable {
    var interval = Duration.seconds(3600)
    /// Between a round's two looks: longer than it takes sales to see a shipment.
    var pause = Duration.seconds(120)
    /// Of one round; where it ends, the next one goes on.
    var requests = 4_000
  }

  private struct State {
    /// Where the next round begins; nil for the beginning.
    var place: Place?
    /// Why the last round did not end; nil when it did.
    var failure: String?
  }

  private struct Place {
    var part: Part
    var after = ""
  }

  private struct Part: Equatable {
    let key: PushKey
    let route: PushRoute
  }

  let database: Database
  let targets: [String: PushTarget]
  let inventory: ShopInventoryReader
  let comparison: StockComparison
  private let options: Options
  private let loop: EventLoop
  private let marked: @Sendable () -> Void
  private let holder = String(UInt64.random(in: .min ... .max), radix: 36)
  private let state = Lock(State())

  /// - Parameter marked: told when SKUs are to be pushed.
  init(
    database: Database, targets: [String: PushTarget], inventory: ShopInventoryReader, comparison: StockComparison,
    options: Options, loop: EventLoop, marked: @escaping @Sendable () -> Void
  ) {
    self.database = database
    self.targets = targets
    self.inventory = inventory
    self.comparison = comparison
    self.options = options
    self.loop = loop
    self.marked = marked
  }

  var failure: String? { state.withLock { $0.failure } }

  func run(in setup: inout ServiceSetup) {
    setup.run("shop stock check") { [self] in
      // After a start, when another replica has looked, and when looking has failed, it is tried sooner: the lease keeps the interval.
      var pause = options.interval / 10
      while !Task.isCancelled {
        await loop.sleep(for: pause * Double.random(in: 0.8...1.2))
        if !Task.isCancelled { pause = await attempt() ? options.interval : options.interval / 10 }
      }
    }
  }

  /// - Returns: whether it has looked.
  func attempt() async -> Bool {
    do {
      let hasLooked = try await round()
      // When another replica has the lease, that one could.
      state.withLock { $0.failure = nil }
      return hasLooked
    } catch is CancellationError {
      return false
    } catch {
      state.withLock { $0.failure = "\(error)" }
      Log.warning(
        "what was changed in the shop's stock can't be looked for now; it is tried again",
        ["reason": LogValue(error)])
      return false
    }
  }

  /// - Returns: false when another replica looks, or has looked not long ago.
  @discardableResult
  func round() async throws -> Bool {
    let done: Void? = try await Lease.held(
      Self.lease, by: holder, for: Self.hold, in: database, on: loop, restingFor: options.interval
    ) { _ in try await look() }
    return done != nil
  }

  private func look() async throws {
    let suspects = try await scan()
    if suspects.isEmpty { return }
    await loop.sleep(for: options.pause)
    try Task.checkCancellation()
    for (part, rows) in suspects {
      for start in stride(from: 0, to: rows.count, by: Self.page) {
        try await lookAgain(Array(rows[start..<min(start + Self.page, rows.count)]), part)
      }
    }
  }

  // MARK: The first look

  private func scan() async throws -> [(part: Part, rows: [ToldStock])] {
    var requests = options.requests
    var suspects: [(part: Part, rows: [ToldStock])] = []
    let parts = try await parts()
    let place = state.withLock { $0.place }
    let first = parts.firstIndex { $0 == place?.part } ?? 0
    for index in parts.indices.dropFirst(first) {
      let part = parts[index]
      var after = place?.part == part ? place?.after ?? "" : ""
      var found: [ToldStock] = []
      while true {
        try Task.checkCancellation()
        if requests <= 0 || suspects.reduce(found.count, { $0 + $1.rows.count }) >= Self.suspects {
          let next = Place(part: part, after: after)
          state.withLock { $0.place = next }
          return found.isEmpty ? suspects : suspects + [(part, found)]
        }
        let perRequest = ShownStock.perRequest(part.route)
        let (from, limit) = (after, min(Self.page, requests * perRequest))
        let rows = try await database.read {
          try ToldStock.page(of: part.key, by: part.route, after: from, limit: limit, $0)
        }
        guard let last = rows.last else { break }
        requests -= (rows.count + perRequest - 1) / perRequest
        found += try await comparison.odd(rows, part.route).map(\.told)
        after = last.row.sku
      }
      if !found.isEmpty { suspects.append((part, found)) }
    }
    state.withLock { $0.place = nil }
    return suspects
  }

  /// Of what can be pushed as things are.
  private func parts() async throws -> [Part] {
    let shop = try await inventory.current()
    var parts: [Part] = []
    for (id, target) in targets.sorted(by: { $0.key < $1.key }) {
      // What another replica's mapping file says otherwise is that one's.
      guard try await database.read({ try PushQueue.target(of: id, $0) }) == target else { continue }
      do throws(PushProblem) {
        let route = try PushRoute(id, of: targets, in: shop)
        parts += (0..<StockPartition.count).map { Part(key: PushKey(id, $0), route: route) }
      } catch {
        // Nothing is pushed then, and the doctor says why.
        continue
      }
    }
    return parts
  }

  // MARK: The second one

  private func lookAgain(_ rows: [ToldStock], _ part: Part) async throws {
    let still = try await database.read { try ToldStock.unmoved(rows, of: part.key, by: part.route, $0) }
    let odd = try await comparison.odd(still, part.route)
    if odd.isEmpty { return }
    let now = WallClock.nanoseconds()
    let changes = try await database.write(weight: odd.count) { connection -> [ChangedStock] in
      let unmoved = Set(
        try ToldStock.unmoved(odd.map(\.told), of: part.key, by: part.route, connection).map(\.row.sku))
      let changes = odd.filter { unmoved.contains($0.told.row.sku) }.map(\.change)
      try ChangedStock.note(changes, of: part.key.aggregateId, connection, at: now)
      return changes
    }
    if changes.isEmpty { return }
    marked()
    Log.warning(
      "somebody has changed stock in the shop; what the OMS says is sent again",
      [
        "aggregate_id": "\(quotable(part.key.aggregateId))", "skus": LogValue(changes.count),
        "examples": "\(changes.prefix(5).map(\.text).joined(separator: "; "))",
      ])
  }
}
