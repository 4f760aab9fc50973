import EventLoop
import RPC
import Storage
import Stubs

@testable import Inventory

/// The service's ports behind a real server on a Unix socket, over an empty store.
final class LiveInventory: Sendable {
  let stock: TemporaryStock
  let group: EventLoopGroup
  let server: Server
  let channel: Channel
  let client: Omsconnector.V1.InventoryServiceClient

  init(_ configure: (inout DatabaseOptions) -> Void = { _ in }) throws {
    stock = try TemporaryStock(configure)
    group = try EventLoopGroup(loops: 1)
    var router = Router()
    let applySnapshot = ApplySnapshot(store: stock.store)
    InventoryService(applySnapshot: applySnapshot, store: stock.store).register(in: &router)
    server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: "unix:\(stock.directory)/socket"))
    channel = Channel(target: Target(address), group: group)
    client = Omsconnector.V1.InventoryServiceClient(channel)
  }

  func stop() async {
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    await stock.database.close()
    group.stop()
  }
}

/// Runs `body` with a service and stops it whatever happens.
func withInventory(
  _ configure: (inout DatabaseOptions) -> Void = { _ in },
  _ body: (LiveInventory) async throws -> Void
) async throws {
  let live = try LiveInventory(configure)
  do {
    try await body(live)
  } catch {
    await live.stop()
    throw error
  }
  await live.stop()
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

extension Omsconnector.V1.StockSnapshot {
  init(
    _ mode: Omsconnector.V1.SnapshotMode, _ aggregateId: String = "EU-WEB", at seconds: Int64? = 1, _ rows: [TestRow]
  ) {
    self.init(
      aggregateId: aggregateId, mode: mode, createdOn: seconds.map { .init(seconds: $0, nanos: 0) },
      stock: rows.map { .init(sku: $0.sku, quantity: $0.quantity, unlimited: $0.unlimited) })
  }
}
