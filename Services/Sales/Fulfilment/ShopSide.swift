import Commerce
import RPC
import ServiceKit
import Storage

/// What goes on in the background so that the shop follows the OMS.
enum ShopSide {
  /// Orders that the shop works on for us at a time.
  static let concurrency = 4

  /// - Returns: to be called when orders have to be looked at. Without a shop what the OMS says is kept, and done once there
  ///   is one.
  static func start(_ store: SalesStore, _ shop: Shop, of setup: inout ServiceSetup) -> @Sendable () -> Void {
    guard let client = shop.client else { return {} }
    let configuration = setup.configuration
    let inventory = Channel(
      target: configuration[ServiceTargets.inventory], group: setup.group, options: setup.channelOptions)
    setup.onStop("inventory") { inventory.shutdown() }
    let push = StockPushRequest(store: store, inventory: inventory)
    let pushes = WorkRunner(StockPushRequest.queue, in: store.database, loop: setup.group.next()) { try await push($0) }
    pushes.run(in: &setup)

    let modules = ShopModules(client)
    var options = ShopWork.Options()
    options.notifiesOfShipments = configuration[SalesSettings.shipmentMails]
    options.silentChannels = Set(configuration[SalesSettings.silentChannels] ?? [])
    options.grace = configuration[SalesSettings.shopGrace]
    options.usesSources = { try await modules.has(ShopModules.inventory) }
    let work = ShopWork(
      store: store, link: ShopLink(pageSize: shop.pageSize, client: client), mapping: shop.mapping, options: options,
      stockMoved: { pushes.wake() })
    var running = WorkRunner.Options()
    running.concurrency = concurrency
    let orders = WorkRunner(store.orderQueue, in: store.database, loop: setup.group.next(), options: running) {
      try await work($0)
    }
    orders.run(in: &setup)
    return { orders.wake() }
  }
}
