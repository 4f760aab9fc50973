import Commerce
import RPC
import ServiceKit
import Storage

/// The inventory service: stock per aggregate and SKU, on its way from the OMS to the shop; and the stock of sources on its way to
/// the OMS.
@main struct InventoryMain {
  static let service = ServiceDescription(
    name: "inventory", summary: "stock per aggregate and SKU, as the OMS last told it, for the shop",
    listen: "unix:$STATE_DIR/inventory/1.sock",
    settings: [
      StoreSettings.databaseURL, OutboxRelay.gatewayTarget, ServiceTargets.sales, InventorySettings.developerMode,
      InventorySettings.shopCheckInterval,
    ] + CommerceSettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      let shop = try Shop(setup.configuration)
      let store = StockStore(try StoreSettings.open(service, setup.configuration, StockSchema.migrations))
      setup.onStop("store") { await store.database.close() }
      try StoreSettings.watchServer(of: store.database, service, &setup)
      let outbox = Outbox(service: service.name)
      let relay = OutboxRelay.start(outbox, in: store.database, of: &setup)
      let sales = Channel(
        target: setup.configuration[ServiceTargets.sales], group: setup.group, options: setup.channelOptions)
      setup.onStop("sales") { sales.shutdown() }
      let push = StockPush(
        shop, in: store.database, loop: setup.group.next(), units: SalesOpenUnits(channel: sales),
        checkInterval: setup.configuration[InventorySettings.shopCheckInterval])
      push.run(in: &setup, store.database)
      let gateway = Channel(
        target: setup.configuration[OutboxRelay.gatewayTarget], group: setup.group, options: setup.channelOptions)
      setup.onStop("gateway") { gateway.shutdown() }
      let journal = GatewayJournal(channel: gateway)
      let sources = SourceStore(store.database)
      var service = InventoryService(
        applySnapshot: ApplySnapshot(store: store, pushing: push.wake), store: store,
        sendSourceStock: SendSourceStock(database: store.database, outbox: outbox) { relay.wake() })
      service.sources = sources
      service.journal = journal
      service.developerMode = setup.configuration[InventorySettings.developerMode]
      service.register(in: &setup.router)
      InventoryCapabilities(database: store.database, push: push, developerMode: service.developerMode)
        .register(in: &setup.router)
      StockMessageConsumer(store: store, pushing: push.wake, sources: sources).port(timings: setup.timings)
        .register(in: &setup.router)
      NonzeroCloser(store: store, journal: journal, pushing: push.wake).run(in: &setup)
      SourceSearch(store: sources, gateway: gateway, loop: setup.group.next()).run(in: &setup)
      MessageRetention(
        store.database, loop: setup.group.next(),
        of: [
          Inbox.removeOld, Outbox.removeOldRefused, { try StockHistory.removeOld($0, now: $1) },
          { try ReleasedSnapshots.removeOld($0, now: $1) }, { try ChangedStock.removeOld($0, now: $1) },
        ]
      ).run(in: &setup)
    }
  }
}
