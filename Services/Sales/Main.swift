import Commerce
import RPC
import ServiceKit
import Storage

/// The sales service: the shop's orders on their way to the OMS, and what the OMS decides on its way to the shop.
@main struct SalesMain {
  static let service = ServiceDescription(
    name: "sales", summary: "orders, shipments and invoices between the shop and the OMS", settings: SalesSettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      let configuration = setup.configuration
      let shop = try Shop(configuration)
      let carrier = try ParcelCarrier.configured(configuration)
      let store = SalesStore(try StoreSettings.open(service, configuration, SalesSchema.migrations))
      setup.onStop("store") { await store.database.close() }
      try StoreSettings.watchServer(of: store.database, service, &setup)
      let relay = OutboxRelay.start(store.outbox, in: store.database, of: &setup)
      let catalog = Channel(
        target: configuration[ServiceTargets.catalog], group: setup.group, options: setup.channelOptions)
      setup.onStop("catalog") { catalog.shutdown() }

      let lookUp = CatalogLookUp(catalog)
      let export = ExportOrders(
        store: store, mapping: shop.mapping, stores: ShopStores(shop.client), catalog: lookUp,
        firstPause: configuration[SalesSettings.holdInterval], unitLimit: configuration[SalesSettings.unitLimit]
      ) { relay.wake() }
      let intake = OrderIntake(export: export, since: configuration[SalesSettings.exportSince])
      let poll = OrderReading.start(intake, shop, of: &setup)
      startWaiting(export, shop, of: &setup)
      let follow = ShopSide.start(store, shop, of: &setup)

      SalesService(
        store: store, export: export, shop: shop.client.map { ShopOrders(client: $0) }, added: { relay.wake() },
        resumed: follow
      ).register(in: &setup.router)
      SalesCapabilities(
        store: store, shop: shop, carrier: carrier, catalog: lookUp, poll: poll,
        hasPaymentIntegration: configuration[SalesSettings.paymentsURL] != nil
      ).register(in: &setup.router)
      MessageConsumer(
        service: service.name,
        methods: OMSMessages(store: store, changed: follow).methods + WarehouseMessages(store: store).methods
          + PaymentBridge.start(store, of: &setup) { relay.wake() }.methods
          + CarrierMessages(store: store, carrier: carrier).methods,
        timings: setup.timings, status: { RPCError(sales: $0) }
      ).register(in: &setup.router)
      MessageRetention(
        store.database, loop: setup.group.next(),
        of: [Inbox.removeOld, Outbox.removeOldRefused, SalesStore.removeOldPaymentCommands]
      ).run(in: &setup)
    }
  }

  /// Orders that wait: to be sent, or to be confirmed.
  private static func startWaiting(_ export: ExportOrders, _ shop: Shop, of setup: inout ServiceSetup) {
    let loop = setup.group.next()
    let held = HeldOrders(export: export, shop: shop.client.map { ShopOrders(client: $0) })
    WorkRunner(export.store.exportQueue, in: export.store.database, loop: loop) { try await held.attempt($0) }
      .run(in: &setup)
    setup.run("held orders") { await held.makeAllDue(on: loop) }
    let unconfirmed = UnconfirmedOrders(
      store: export.store, timeout: setup.configuration[SalesSettings.confirmationTimeout])
    setup.run("unconfirmed orders") { await unconfirmed.run(on: loop) }
  }
}
