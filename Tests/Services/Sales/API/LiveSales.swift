import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Storage
import Stubs
import TestSupport

@testable import Commerce
@testable import Sales

/// The service's ports behind a real server on a Unix socket, over an empty store.
final class LiveSales: Sendable {
  let test: TestExport
  let group: EventLoopGroup
  let server: Server
  let channel: Channel
  var store: SalesStore { test.store }

  init(_ engine: TestEngine, carrier: ParcelCarrier?) throws {
    test = try TestExport(engine)
    group = try EventLoopGroup(loops: 1)
    var router = Router()
    let world = test.world
    let export = test.export()
    SalesService(
      store: test.store, export: export, shop: nil, added: { world.change { $0.additions += 1 } }, resumed: {}
    ).register(in: &router)
    SalesCapabilities(
      store: test.store, shop: Shop(client: nil, mapping: RandomOrder.mapping), carrier: carrier,
      catalog: export.catalog, poll: nil, hasPaymentIntegration: false
    ).register(in: &router)
    MessageConsumer(
      service: "sales",
      methods: WarehouseMessages(store: test.store).methods
        + CarrierMessages(store: test.store, carrier: carrier).methods,
      timings: Timings(), status: { RPCError(sales: $0) }
    ).register(in: &router)
    server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: "unix:\(test.sales.directory)/socket"))
    channel = Channel(target: Target(address), group: group)
  }

  func stop() async {
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    await test.sales.database.close()
    group.stop()
  }

  func call<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, _ request: Request
  ) async throws -> Response { try await channel.unary(method, request) }

  /// Hands a message of the bus over; answers the result as text.
  func consume(_ method: String, id: String = "\"d-1\"", _ params: String) async throws -> String {
    let response = try await channel.unary(
      Omsconnector.Internal.V1.MessageConsumerServiceMethods.consume,
      .init(deliveryId: id, method: method, body: Array(params.utf8)))
    return String(decoding: response.result, as: UTF8.self)
  }

  /// The status with which `body` fails.
  func failure(_ body: () async throws -> Void) async -> RPCError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? RPCError
    }
  }
}

/// Runs `body` with a service on each engine in turn, and stops it whatever happens.
func withSales(
  _ engines: [TestEngine] = TestEngine.allCases, carrier: ParcelCarrier? = nil,
  _ body: (LiveSales) async throws -> Void
) async throws {
  for engine in engines {
    let live = try LiveSales(engine, carrier: carrier)
    do {
      try await body(live)
    } catch {
      await live.stop()
      throw error
    }
    await live.stop()
  }
}
