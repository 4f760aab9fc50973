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
  /// overtaken by it.
  static let bulkPatience: Int64 = 15 * 60 * 1_000_000_000
  /// What the mapping file or the shop's set-up has to change for.
  static let problemPause = Duration.seconds(60)
  static let firstPause = Duration.seconds(1)
  static let longestPause = Duration.seconds(15)

  let database: Database
  let targets: [String: PushTarget]
  let client: CommerceClient
  let inventory: ShopInventoryReader
  let units: any OpenUnitsSource
  let limits: PushLimits
  let products: ShopProducts

  init(
    database: Database, targets: [String: PushTarget], client: CommerceClient, inventory: ShopInventoryReader,
    units: any OpenUnitsSource, limits: PushLimits = PushLimits()
  ) {
    self.database = database
    self.targets = targets
    self.client = client
    self.inventory = inventory
    self.units = units
    self.limits = limits
    products = ShopProducts(client)
  }

  private struct LeaseLost: Error, CustomStringConvertible {
    var description: String { "another replica pushes this partition now" }
  }

  /// Works on one key of ``PushQueue/work``.
  func push(_ item: WorkItem) async -> WorkOutcome {
    // Of an aggregate that has no target any more nothing is pushed.
    guard let key = PushKey(item.key), targets[key.aggregateId] != nil else { return .done }
    do {
      return try await push(key, item)
    } catch is CancellationError {
      return .again(after: .zero, reason: "the service stopped")
    } catch let error as LeaseLost {
      return .again(after: Self.firstPause, reason: error.description)
    } catch let problem as PushProblem {
      await note(problem.description, key)
      return .again(after: Self.problemPause, reason: problem.description)
    } catch {
      if let error = error as? CommerceError, error.kind == .notFound { await inventory.forget() }
      let reason = (error as? RPCError).map { "open units are not to be had: \($0)" } ?? "\(error)"
      await note(reason, key)
      // For ever: it is tried four times a minute, and gone as soon as the shop takes it.
      let pause = min(Self.firstPause * Double(UInt64(1) << UInt64(min(item.attempts, 10))), Self.longestPause)
      return .again(after: pause * Double.random(in: 0.8...1.2), reason: reason)
    }
  }

  private func push(_ key: PushKey, _ item: WorkItem) async throws -> WorkOutcome {
    let route = try PushRoute(key.aggregateId, of: targets, in: try await inventory.current())
    var mayBulk = limits.hasBulk
    if let bulk = try await database.read({ try PushQueue.openBulk(key, $0) }) {
      switch try await follow(bulk, key, item) {
      case .open: return .again(after: Self.bulkPause, reason: "bulk job \(bulk.uuid) is under way")
      case .refused: mayBulk = false
      case .done, .retriable, .unknown: break
      }
    }
    while true {
      let rows = try await take(key, item)
      if rows.isEmpty { return .done }
      if mayBulk, rows.count >= PushLimits.bulkFrom, case .source(let code, _) = route {
        return try await startBulk(rows, code, route, key, item)
      }
      let sent = try await send(Array(rows.prefix(Self.rowsAtOnce)), route)
      try await settle(sent, key, item)
      if let error = sent.stopped { throw error }
    }
  }

  /// Rows between two looks at the lease, when they are not sent as a bulk job: some seconds' worth.
  private static let rowsAtOnce = 200

  /// Looks at the shop's products and at the orders, then sends.
  private func send(_ rows: [DueStock], _ route: PushRoute) async throws -> SentStock {
    let (values, refused) = try await values(of: rows, route)
    var sent = await StockSender(client: client, limits: limits).send(values, route)
    sent.failed += refused
    return sent
  }

  /// What the shop is to be told of rows, and which of them can't be told.
  private func values(
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
      return try PushQueue.due(key, limit: limit, connection)
    }
  }

  private func settle(_ sent: SentStock, _ key: PushKey, _ item: WorkItem) async throws {
    let (done, failed) = (sent.done, sent.failed)
    if done.isEmpty && failed.isEmpty { return }
    let now = WallClock.nanoseconds()
    try await database.write(weight: done.count + failed.count) { connection in
      guard try PushQueue.work.prolong(connection, item, for: Self.hold) else { throw LeaseLost() }
      let agreed = try ManagedStock.note(done, connection)
      try PushQueue.settle(agreed, key, connection)
      try PushQueue.fail(failed, key, connection)
      try PushQueue.note(key.aggregateId, error: nil, connection, at: now)
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

  private func note(_ error: String, _ key: PushKey) async {
    let now = WallClock.nanoseconds()
    do {
      try await database.write { try PushQueue.note(key.aggregateId, error: error, $0, at: now) }
    } catch {
      Log.warning("the state of pushing can't be noted", ["reason": LogValue(error)])
    }
  }

  // MARK: Bulk jobs

  private func startBulk(
    _ rows: [DueStock], _ code: String, _ route: PushRoute, _ key: PushKey, _ item: WorkItem
  ) async throws -> WorkOutcome {
    let (values, refused) = try await values(of: rows, route)
    if !refused.isEmpty { try await settle(SentStock(failed: refused), key, item) }
    // What needs a word to the product goes by itself, later.
    let rows = values.filter { $0.isManaged == nil }
    guard rows.count >= PushLimits.bulkFrom else {
      let sent = await StockSender(client: client, limits: limits).send(Array(values.prefix(Self.rowsAtOnce)), route)
      try await settle(sent, key, item)
      if let error = sent.stopped { throw error }
      return .again(after: .zero, reason: "more is due")
    }
    do {
      let uuid = try await BulkJobs(client: client).start(rows, source: code)
      let bulk = OpenBulk(uuid: uuid, acceptedAt: WallClock.nanoseconds())
      try await database.write(weight: rows.count) { connection in
        // Also when the lease is lost: whoever has it has to know of the job.
        try PushQueue.opened(bulk, rows.map(\.row), key, connection)
      }
      return .again(after: Self.bulkPause, reason: "bulk job \(uuid) is under way")
    } catch let error as CommerceError where limits.lower(after: error, from: rows.count, asynchronous: true) {
      return .again(after: .zero, reason: "\(error)")
    } catch let error as CommerceError where error.kind == .notFound || error.kind == .refused {
      limits.giveUpBulk()
      Log.info("the shop takes no bulk jobs; stock goes in small parts", ["reason": LogValue(error)])
      return .again(after: .zero, reason: "\(error)")
    }
  }

  private func follow(_ bulk: OpenBulk, _ key: PushKey, _ item: WorkItem) async throws -> BulkJobs.State {
    let state: BulkJobs.State
    do {
      state = try await BulkJobs(client: client).state(of: bulk.uuid)
    } catch let error as CommerceError where error.kind == .unauthorized {
      limits.giveUpBulk()
      throw error
    }
    let now = WallClock.nanoseconds()
    if state == .open {
      if now - bulk.acceptedAt > Self.bulkPatience {
        await note(
          "bulk job \(bulk.uuid) is open since \(Google.Protobuf.Timestamp(nanosecondsSinceEpoch: bulk.acceptedAt).text); "
            + "does the shop's consumer async.operations.all run?", key)
      }
      return state
    }
    try await database.write(weight: limits.asynchronousRows) { connection in
      guard try PushQueue.work.prolong(connection, item, for: Self.hold) else { throw LeaseLost() }
      if state == .done {
        try PushQueue.settle(try PushQueue.sent(key, connection), key, connection)
        try PushQueue.note(key.aggregateId, error: nil, connection, at: now)
      }
      try PushQueue.closeBulk(key, connection)
    }
    return state
  }
}
