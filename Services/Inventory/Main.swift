import ServiceKit
import Storage

/// The inventory service: stock per aggregate and SKU, and the stock of sources on its way to the OMS.
@main struct InventoryMain {
  static let service = ServiceDescription(
    name: "inventory", summary: "stock per aggregate and SKU, as the OMS last told it",
    listen: "unix:$STATE_DIR/inventory/1.sock", settings: [StoreSettings.databaseURL, OutboxRelay.gatewayTarget])

  static func main() {
    ServiceRunner.run(service) { setup in
      let store = StockStore(try StoreSettings.open(service, setup.configuration, StockSchema.migrations))
      setup.onStop("store") { await store.database.close() }
      let outbox = Outbox(service: service.name)
      let relay = OutboxRelay.start(outbox, in: store.database, of: &setup)
      InventoryService(
        applySnapshot: ApplySnapshot(store: store), store: store,
        sendSourceStock: SendSourceStock(database: store.database, outbox: outbox) { relay.wake() }
      ).register(in: &setup.router)
      StockMessageConsumer(store: store).port(timings: setup.timings).register(in: &setup.router)
      MessageRetention(store.database, loop: setup.group.next(), of: [Inbox.removeOld, Outbox.removeOldRefused])
        .run(in: &setup)
    }
  }
}
