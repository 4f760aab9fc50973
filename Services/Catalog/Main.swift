import Commerce
import ServiceKit
import Storage
import Stubs

/// The catalog service: the shop's products and shipping methods, on their way to the OMS.
@main struct CatalogMain {
  static let service = ServiceDescription(
    name: "catalog", summary: "products and shipping methods between the shop and the OMS",
    settings: [StoreSettings.databaseURL, OutboxRelay.gatewayTarget] + CommerceSettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      let shop = try Shop(setup.configuration)
      let store = CatalogStore(try StoreSettings.open(service, setup.configuration, CatalogSchema.migrations))
      setup.onStop("store") { await store.database.close() }
      let relay = OutboxRelay.start(store.outbox, in: store.database, of: &setup)
      let intake = shop.client.map { client in
        ShopIntake(reader: ShopReader(shop, client), store: store) { relay.wake() }
      }
      if let intake { CatalogPolling(shop: shop, intake: intake).run(in: &setup) }
      CatalogService(store: store, intake: intake, mapping: shop.mapping).register(in: &setup.router)
      MessageConsumer(service: service.name, methods: [], timings: setup.timings).register(in: &setup.router)
      MessageRetention(store.database, loop: setup.group.next(), of: [Outbox.removeOldRefused]).run(in: &setup)
    }
  }
}
