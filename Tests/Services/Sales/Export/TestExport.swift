import EventLoop
import Messages
import RPC
import Storage
import TestSupport

@testable import Commerce
@testable import Sales

/// An order of the shop as JSON, the mapping and the catalog to export it with, over an empty store.
final class TestExport: Sendable {
  struct World {
    /// Product ids that the OMS has.
    var exported: Set<Int64> = [9]
    var exportedSKUs: Set<String> = ["STANDARD"]
    var isCatalogAway = false
    /// How often the catalog was asked, and orders were added to the outbox.
    var lookUps = 0
    var additions = 0
  }

  let sales: TemporarySales
  let world: Shared = Shared()
  var store: SalesStore { sales.store }

  final class Shared: Sendable {
    private let state = Lock(World())
    func read<T: Sendable>(_ body: (World) -> T) -> T { state.withLock { body($0) } }
    func change(_ body: (inout World) -> Void) { state.withLock { body(&$0) } }
  }

  init(_ engine: TestEngine = .sqlite) throws { sales = try TemporarySales(engine) }

  func export(
    _ mapping: Mapping = RandomOrder.mapping, firstPause: Duration = .seconds(30),
    unitLimit: Int = LedgerLine.defaultUnitLimit
  ) -> ExportOrders {
    let world = world
    return ExportOrders(
      store: sales.store, mapping: mapping, stores: ShopStores { [1: RandomOrder.view] },
      catalog: CatalogLookUp { request in
        world.change { $0.lookUps += 1 }
        let (exported, skus, isAway) = world.read { ($0.exported, $0.exportedSKUs, $0.isCatalogAway) }
        if isAway { throw RPCError(.unavailable, "no connection") }
        let now = Google.Protobuf.Timestamp(seconds: 1)
        return .init(
          products: request.productIds.map {
            .init(sku: "SKU-\($0)", productId: $0, exportedAt: exported.contains($0) ? now : nil)
          } + request.skus.map { .init(sku: $0, exportedAt: skus.contains($0) ? now : nil) })
      }, firstPause: firstPause, unitLimit: unitLimit
    ) { world.change { $0.additions += 1 } }
  }

  /// The order with this number; its fields may be others, given as JSON.
  static func order(_ id: String = "000000007", _ changes: [String: String] = [:]) throws -> ShopOrder {
    var fields = [
      "entity_id": "7", "increment_id": "\"\(id)\"", "store_id": "1", "state": "\"new\"",
      "created_at": "\"2024-02-03 04:05:06\"", "order_currency_code": "\"EUR\"", "base_currency_code": "\"EUR\"",
      "grand_total": "25", "shipping_amount": "5", "customer_is_guest": "1", "is_virtual": "0",
      "billing_address": #"{"entity_id":16,"firstname":"Ada","lastname":"B","country_id":"DE"}"#,
      "payment": #"{"entity_id":8,"method":"checkmo"}"#,
      "items":
        #"[{"item_id":3,"product_id":9,"product_type":"simple","sku":"MUG-red","name":"Mug","qty_ordered":2,"row_total":20}]"#,
      "extension_attributes":
        #"{"shipping_assignments":[{"shipping":{"address":{"entity_id":15},"method":"flatrate_flatrate"}}]}"#,
    ]
    fields.merge(changes) { _, new in new }
    let members = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
    return try ShopOrder(parsing: Array("{\(members.joined(separator: ","))}".utf8))
  }

  /// Methods and orders of what waits in the outbox.
  func outgoing() async throws -> [String] {
    try await sales.outgoing().map { "\($0.message.method.split(separator: ".").last ?? "") \($0.message.key)" }
  }

  /// What is due of a queue, and when.
  func work(_ queue: WorkQueue, _ key: String = "000000007") async throws -> WaitingWork? {
    try await sales.database.read { try queue.waiting($0, key) }
  }
}
