import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Storage
import Stubs
import TestSupport

@testable import Inventory

/// The service's ports behind a real server on a Unix socket, over an empty store.
final class LiveInventory: Sendable {
  let stock: TemporaryStock
  let group: EventLoopGroup
  let server: Server
  let timings = Timings()
  let channel: Channel
  /// How often messages were added to the outbox.
  let additions = Counter()
  private let outbox = Outbox(service: "inventory")
  var client: InventoryCalls { InventoryCalls(channel: channel) }

  init(_ engine: TestEngine, _ configure: (inout DatabaseOptions) -> Void) throws {
    stock = try TemporaryStock(engine, configure)
    group = try EventLoopGroup(loops: 1)
    var router = Router()
    let additions = additions
    InventoryService(
      applySnapshot: ApplySnapshot(store: stock.store), store: stock.store,
      sendSourceStock: SendSourceStock(database: stock.database, outbox: outbox) { additions.add() }
    ).register(in: &router)
    StockMessageConsumer(store: stock.store).port(timings: timings).register(in: &router)
    server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: "unix:\(stock.directory)/socket"))
    channel = Channel(target: Target(address), group: group)
  }

  /// What waits in the outbox.
  func outgoing() async throws -> [OutboxRow] {
    let outbox = outbox
    return try await stock.database.read { connection in
      try outbox.rows(connection, after: 0, room: .init(rows: 1_000, bytes: .max)) { _ in false }
    }
  }

  func stop() async {
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    await stock.database.close()
    group.stop()
  }
}

final class Counter: Sendable {
  private let count = Lock(0)
  var value: Int { count.withLock { $0 } }
  func add() { count.withLock { $0 += 1 } }
}

/// The service's calls over a channel.
struct InventoryCalls {
  typealias V1 = Omsconnector.V1
  let channel: Channel

  func applyStockSnapshot(_ request: V1.ApplyStockSnapshotRequest) async throws -> V1.ApplyStockSnapshotResponse {
    try await channel.unary(V1.InventoryServiceMethods.applyStockSnapshot, request)
  }

  func streamStockSnapshots(
    _ body: @escaping @Sendable (RequestWriter<V1.StreamStockSnapshotsRequest>) async throws -> Void
  ) async throws -> V1.StreamStockSnapshotsResponse {
    try await channel.clientStreaming(V1.InventoryServiceMethods.streamStockSnapshots, body)
  }

  func getStock(_ request: V1.GetStockRequest) async throws -> V1.GetStockResponse {
    try await channel.unary(V1.InventoryServiceMethods.getStock, request)
  }

  func listStock(_ request: V1.ListStockRequest) async throws -> V1.ListStockResponse {
    try await channel.unary(V1.InventoryServiceMethods.listStock, request)
  }

  func updateSourceStock(_ request: V1.UpdateSourceStockRequest) async throws -> V1.UpdateSourceStockResponse {
    try await channel.unary(V1.InventoryServiceMethods.updateSourceStock, request)
  }

  func adjustSourceStock(_ request: V1.AdjustSourceStockRequest) async throws -> V1.AdjustSourceStockResponse {
    try await channel.unary(V1.InventoryServiceMethods.adjustSourceStock, request)
  }
}

/// Runs `body` with a service on each engine in turn, and stops it whatever happens.
func withInventory(
  _ engines: [TestEngine] = TestEngine.allCases, _ configure: (inout DatabaseOptions) -> Void = { _ in },
  _ body: (LiveInventory) async throws -> Void
) async throws {
  for engine in engines {
    let live = try LiveInventory(engine, configure)
    do {
      try await body(live)
    } catch {
      await live.stop()
      throw EngineFailure(engine: engine, error: error)
    }
    await live.stop()
  }
}

/// What a test's body threw, and on which engine.
private struct EngineFailure: Error {
  let engine: TestEngine
  let error: any Error
}

/// Runs `body` with a channel to a consumer of messages.
func withConsumer(_ consumer: MessageConsumer, _ body: (Channel) async throws -> Void) async throws {
  let group = try EventLoopGroup(loops: 1)
  defer { group.stop() }
  var router = Router()
  consumer.register(in: &router)
  let server = Server(group: group, router: router)
  let path = "/tmp/oms-consumer-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
  let channel = Channel(target: Target(try server.listen(on: .unix(path: path))), group: group)
  defer { for suffix in ["", ".lock"] { unlink(path + suffix) } }
  try await body(channel)
  channel.shutdown()
  _ = await server.shutdown(grace: .seconds(1))
}

/// The status with which `body` fails.
func status(_ body: () async throws -> Void) async -> RPCError? {
  do {
    try await body()
    return nil
  } catch {
    return error as? RPCError
  }
}

/// A snapshot as a client sends it, with `created_on` in seconds since 1970.
func message(
  _ mode: Omsconnector.V1.SnapshotMode, of aggregateId: String = "EU-WEB", at seconds: Int64? = 1, _ rows: [TestRow]
) -> Omsconnector.V1.StockSnapshot {
  .init(
    aggregateId: aggregateId, mode: mode, createdOn: seconds.map { .init(seconds: $0, nanos: 0) },
    stock: rows.map { .init(sku: $0.sku, quantity: $0.quantity, unlimited: $0.unlimited) })
}
