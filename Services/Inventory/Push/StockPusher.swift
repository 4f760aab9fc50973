import Commerce
import EventLoop
import Messages
import RPC
import ServiceKit
import Storage

/// Brings a partition of an aggregate to the shop: the values that the store has now, whatever messages they came by.
///
/// The store's transactions prolong the partition's lease before they give out rows, so that of all replicas one sends a SKU at a
/// time; and it has one request, or one bulk job, under way. A bulk job outlives its sender: it is in the store, and the next
/// holder of the lease waits for it.
struct StockPusher: Sendable {
  /// How long a replica that has died keeps a partition from the others.
  static let hold = Duration.seconds(30)
  /// Between two looks at a bulk job.
  static let bulkPause = Duration.seconds(2)
  /// A bulk job that the shop has not finished by then is told of; it is still waited for, since sending beside it could be
  /// overtaken by it. One of which nothing can be learnt counts as lost then, and one that is lost as having run. Nanoseconds.
  static let bulkPatience: Int64 = 15 * 60 * 1_000_000_000
  /// What the mapping file or the shop's set-up has to change for.
  static let problemPause = Duration.seconds(60)
  static let firstPause = Duration.seconds(1)
  static let longestPause = Duration.seconds(15)
  /// A partition that the shop has failed on so often in a row is sent in parts, to find a row that it may be because of.
  static let stopsBeforeSinglingOut: Int64 = 3

  let database: Database
  let targets: [String: PushTarget]
  let client: CommerceClient
  let inventory: ShopInventoryReader
  let units: any OpenUnitsSource
  let limits: PushLimits
  let products: ShopProducts
  /// Nanoseconds since 1970.
  let now: @Sendable () -> Int64

  init(
    database: Database, targets: [String: PushTarget], client: CommerceClient, inventory: ShopInventoryReader,
    units: any OpenUnitsSource, limits: PushLimits = PushLimits(),
    now: @escaping @Sendable () -> Int64 = WallClock.nanoseconds
  ) {
    self.database = database
    self.targets = targets
    self.client = client
    self.inventory = inventory
    self.units = units
    self.limits = limits
    self.now = now
    products = ShopProducts(client)
  }

  struct LeaseLost: Error, CustomStringConvertible {
    var description: String { "another replica pushes this partition now" }
  }

  /// Works on one key of ``PushQueue/work``.
  func push(_ item: WorkItem) async -> WorkOutcome {
    guard let key = PushKey(item.key) else { return .done }
    do {
      // Of an aggregate that has no target any more nothing is pushed.
      guard let target = try await database.read({ try PushQueue.target(of: key.aggregateId, $0) }) else {
        return .done
      }
      if target != targets[key.aggregateId] { return await leave(key, item) }
      return try await push(key, item)
    } catch is CancellationError {
      return .again(after: .zero, reason: "the service stopped")
    } catch let error as LeaseLost {
      return .again(after: Self.firstPause, reason: error.description)
    } catch let problem as PushProblem {
      await note(problem.description, key)
      return .again(after: Self.problemPause, reason: problem.description)
    } catch let stop as StoppedSending where stop.maySayNothingOfRow {
      await note(stop.description, key, isStop: true)
      return .again(after: Self.pause(item, longest: Self.longestPause), reason: stop.description)
    } catch {
      let cause = (error as? StoppedSending)?.error ?? error
      if let cause = cause as? CommerceError, cause.kind == .notFound { await inventory.forget() }
      let reason = (error as? RPCError).map { "open units are not to be had: \($0)" } ?? "\(error)"
      await note(reason, key)
      // For ever: it is tried four times a minute, and gone as soon as the shop takes it.
      return .again(after: Self.pause(item, longest: Self.longestPause), reason: reason)
    }
  }

  /// While the mapping file is changed, a replica after the other: what another one is to push is left to it. It is not lost when
  /// there is none, but due as soon as one starts.
  private func leave(_ key: PushKey, _ item: WorkItem) async -> WorkOutcome {
    let reason =
      "this replica's mapping file doesn't say what the one that was read last does of aggregate \(key.aggregateId); "
      + "give all replicas the same one, and restart those that have another"
    await note(reason, key)
    return .again(after: Self.pause(item, longest: Self.problemPause), reason: reason)
  }

  private static func pause(_ item: WorkItem, longest: Duration) -> Duration {
    min(firstPause * Double(UInt64(1) << UInt64(min(item.attempts, 10))), longest) * Double.random(in: 0.8...1)
  }

  private func push(_ key: PushKey, _ item: WorkItem) async throws -> WorkOutcome {
    let route = try PushRoute(key.aggregateId, of: targets, in: try await inventory.current())
    let bulk: BulkOutcome
    switch try await database.read({ try PushQueue.bulk(key, $0) }) {
    case nil: bulk = .over(mayBulk: true)
    case let open?: bulk = try await follow(open, key, item)
    }
    if case .open(let uuid) = bulk {
      return .again(after: Self.bulkPause, reason: "bulk job \(uuid) is under way")
    }
    var sender = StockSender(client: client, limits: limits)
    sender.singlesOut = try await database.read({ try PushQueue.stops(key, $0) }) >= Self.stopsBeforeSinglingOut
    while true {
      let rows = try await take(key, item)
      if rows.isEmpty { return rest(after: bulk) }
      if limits.hasBulk, bulk == .over(mayBulk: true), rows.count >= PushLimits.bulkFrom,
        case .source(let code, _) = route
      {
        return try await startBulk(rows, code, route, key, item, sender)
      }
      let sent = try await send(Array(rows.prefix(Self.rowsAtOnce)), route, sender)
      sender.hasPassed = sent.hasPassed
      try await settle(sent, route, key, item)
      if let error = sent.stopped { throw error }
    }
  }

  /// What was due is pushed. That of a lost bulk job is due again.
  private func rest(after bulk: BulkOutcome) -> WorkOutcome {
    guard case .lost(let againAt) = bulk else { return .done }
    return .again(after: .nanoseconds(max(0, againAt - now())), reason: "a bulk job that was lost may still run")
  }

  /// Rows between two looks at the lease, when they are not sent as a bulk job: some seconds' worth.
  static let rowsAtOnce = 200

  /// Looks at the shop's products and at the orders, then sends.
  private func send(_ rows: [DueStock], _ route: PushRoute, _ sender: StockSender) async throws -> SentStock {
    let (values, refused) = try await values(of: rows, route)
    var sent = await sender.send(values, route)
    sent.failed += refused
    return sent
  }

  /// What the shop is to be told of rows, and which of them can't be told.
  func values(
    of rows: [DueStock], _ route: PushRoute
  ) async throws -> (values: [PushedStock], refused: [(row: DueStock, reason: String)]) {
    var problems: [String: String] = [:]
    if case .source = route { problems = try await products.problems(of: rows.map(\.sku)) }
    let good = rows.filter { problems[$0.sku] == nil }
    var open: [String: [OpenUnits]] = [:]
    for start in stride(from: 0, to: good.count, by: SalesOpenUnits.pageSize) {
      let part = good[start..<min(start + SalesOpenUnits.pageSize, good.count)]
      try await open.merge(units.openUnits(of: part.map(\.sku))) { _, new in new }
    }
    let skus = good.map(\.sku)
    let managed = try await database.read { try ManagedStock.changes(of: skus, $0) }
    let values = good.map { row in
      PushedStock(
        row: row, quantity: ShopQuantity.value(row.quantity, open[row.sku] ?? [], route), isManaged: managed[row.sku])
    }
    return (values, rows.compactMap { row in problems[row.sku].map { (row, $0) } })
  }

  // MARK: The store

  private func take(_ key: PushKey, _ item: WorkItem) async throws -> [DueStock] {
    let limit = limits.asynchronousRows
    return try await database.write { connection in
      guard try PushQueue.work.prolong(connection, item, for: Self.hold) else { throw LeaseLost() }
      let due = try PushQueue.due(key, limit: limit, connection)
      if due.isEmpty { try PushQueue.clearError(key, connection) }
      return due
    }
  }

  func settle(_ sent: SentStock, _ route: PushRoute, _ key: PushKey, _ item: WorkItem) async throws {
    let (done, failed) = (sent.done, sent.failed)
    if done.isEmpty && failed.isEmpty { return }
    let now = now()
    try await database.write(weight: done.count + failed.count) { connection in
      guard try PushQueue.work.prolong(connection, item, for: Self.hold) else { throw LeaseLost() }
      try ToldStock.note(done, route, key, connection)
      let agreed = try ManagedStock.note(done, connection)
      try PushQueue.settle(agreed, key, connection)
      try PushQueue.fail(failed, key, connection)
      try PushQueue.notePushed(key, connection, at: now)
    }
    for (row, reason) in failed.prefix(3) {
      Log.warning(
        "the shop doesn't take the stock of a SKU",
        [
          "aggregate_id": "\(quotable(key.aggregateId))", "sku": "\(quotable(row.sku))", "reason": "\(reason)",
          "failed": LogValue(failed.count),
        ])
    }
  }

  /// - Parameter isStop: whether it is a failure of the shop that may be because of a row.
  func note(_ error: String, _ key: PushKey, isStop: Bool = false) async {
    let now = now()
    do {
      try await database.write { try PushQueue.note(error, key, $0, at: now, isStop: isStop) }
    } catch {
      Log.warning("the state of pushing can't be noted", ["reason": LogValue(error)])
    }
  }
}
