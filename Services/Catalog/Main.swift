import Commerce
import RPC
import ServiceKit
import Storage
import Stubs

/// The catalog service: the shop's products and shipping methods, on their way to the OMS.
@main struct CatalogMain {
  static let service = ServiceDescription(
    name: "catalog", summary: "products and shipping methods between the shop and the OMS",
    settings: [StoreSettings.databaseURL, OutboxRelay.gatewayTarget, CatalogRuns.reconciliationInterval]
      + CommerceSettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      let shop = try Shop(setup.configuration)
      let store = CatalogStore(try StoreSettings.open(service, setup.configuration, CatalogSchema.migrations))
      setup.onStop("store") { await store.database.close() }
      try StoreSettings.watchServer(of: store.database, service, &setup)
      let relay = OutboxRelay.start(store.outbox, in: store.database, of: &setup)
      let loop = setup.group.next()
      let intake = shop.client.map { client in
        ShopIntake(reader: ShopReader(shop, client), store: store) { relay.wake() }
      }
      let runs = intake.map {
        CatalogRuns($0, loop: loop, reconciling: setup.configuration[CatalogRuns.reconciliationInterval])
      }
      let poll = intake.map { CatalogPolling(shop: shop, intake: $0).run(in: &setup) }
      if let runs { setup.run("catalog runs") { await runs.run() } }
      let gateway = Channel(
        target: setup.configuration[OutboxRelay.gatewayTarget], group: setup.group, options: setup.channelOptions)
      setup.onStop("gateway") { gateway.shutdown() }
      let confirmation = ProductConfirmation(store: store, journal: GatewayDeliveries(channel: gateway), loop: loop)
      CatalogService(
        store: store, confirmation: confirmation, intake: intake, runs: runs, mapping: shop.mapping, loop: loop
      ) { relay.wake() }
      .register(in: &setup.router)
      CatalogCapabilities(
        shop: shop, intake: intake, poll: poll, store: store, runs: RunStore(database: store.database)
      ).register(in: &setup.router)
      MessageConsumer(service: service.name, methods: [], timings: setup.timings).register(in: &setup.router)
      MessageRetention(store.database, loop: loop, of: [Outbox.removeOldRefused]).run(in: &setup)
    }
  }
}
