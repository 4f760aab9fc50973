import ServiceKit
import Storage

/// The inventory service: stock per aggregate and SKU.
@main struct InventoryMain {
  static let service = ServiceDescription(
    name: "inventory", summary: "stock per aggregate and SKU, as the OMS last told it",
    listen: "unix:$STATE_DIR/inventory/1.sock", settings: [StoreSettings.databaseURL, OutboxRelay.gatewayTarget])

  static func main() {
    ServiceRunner.run(service) { setup in
      let store = StockStore(try StoreSettings.open(service, setup.configuration, StockSchema.migrations))
      setup.onStop("store") { await store.database.close() }
      let applySnapshot = ApplySnapshot(store: store)
      InventoryService(applySnapshot: applySnapshot, store: store).register(in: &setup.router)
      StockMessageConsumer(store: store).port(timings: setup.timings).register(in: &setup.router)
      InboxRetention(store.database, loop: setup.group.next()).run(in: &setup)
    }
  }
}
