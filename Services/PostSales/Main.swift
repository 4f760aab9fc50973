import Commerce
import EventLoop
import RPC
import ServiceKit
import Storage
import Stubs

/// The service of returns and refunds: decided by the OMS, carried out in the shop.
@main struct PostSalesMain {
  static let service = ServiceDescription(
    name: "post-sales", summary: "returns and refunds between the shop and the OMS",
    settings: [
      StoreSettings.databaseURL, OutboxRelay.gatewayTarget, ServiceTargets.sales, ServiceTargets.inventory,
    ] + CommerceSettings.all + PostSalesSettings.all)

  static func main() {
    ServiceRunner.run(service) { setup in
      let configuration = setup.configuration
      let shop = try Shop(configuration)
      let options = PostSalesOptions(configuration)
      let database = try StoreSettings.open(service, configuration, PostSalesSchema.migrations)
      setup.onStop("store") { await database.close() }
      try StoreSettings.watchServer(of: database, service, &setup)
      let outbox = Outbox(service: service.name)
      let relay = OutboxRelay.start(outbox, in: database, of: &setup)
      let sales = Channel(
        target: configuration[ServiceTargets.sales], group: setup.group, options: setup.channelOptions)
      let inventory = Channel(
        target: configuration[ServiceTargets.inventory], group: setup.group, options: setup.channelOptions)
      setup.onStop("channels") {
        sales.shutdown()
        inventory.shutdown()
      }
      let orders = SalesOrders(channel: sales)
      let followUps = FollowUps(database, sales: orders, inventory: inventory, setup)
      followUps.run(in: &setup)
      let refunds = refundRunner(database, shop, orders, options, setup.group.next()) { followUps.wake() }
      refunds?.run(in: &setup)
      let returnShop = shop.client.map { RESTReturnShop(client: $0, pageSize: shop.pageSize) }
      let returns = returnShop.map { returnRunner(database, $0, orders, options, setup.group.next()) }
      returns?.run(in: &setup)
      let authorize = AuthorizeReturn(
        database: database, outbox: outbox, shop: returnShop, orders: orders, mapping: shop.mapping
      ) { relay.wake() }
      var memos: ForeignMemos?
      var returnPolling: ReturnPolling?
      if let client = shop.client, let returnShop {
        let found = ForeignMemos(shop, client, orders: orders, in: database, loop: setup.group.next())
        found.run(in: &setup)
        memos = found
        let polling = ReturnPolling(
          shop, client, returns: returnShop, authorize: authorize, in: database, loop: setup.group.next())
        polling.run(in: &setup)
        returnPolling = polling
      }

      PostSalesService(
        database: database, authorize: authorize,
        setAttributes: SetAttributes(database: database, outbox: outbox, orders: orders) { relay.wake() },
        returnDue: { returns?.wake() }
      ) { refunds?.wake() }.register(in: &setup.router)
      PostSalesCapabilities(
        database: database, client: shop.client, returns: returnShop, poll: memos?.poll,
        returnPoll: returnPolling?.poll, options: options
      ).register(in: &setup.router)
      let messages =
        [RefundMessageConsumer(database: database) { refunds?.wake() }.method]
        + ReturnMessageConsumer(database: database) { returns?.wake() }.methods
      MessageConsumer(
        service: service.name, methods: messages, timings: setup.timings, status: { RPCError(postSales: $0) }
      ).register(in: &setup.router)
      MessageRetention(database, loop: setup.group.next(), of: [Inbox.removeOld, Outbox.removeOldRefused])
        .run(in: &setup)
    }
  }

  /// nil without a shop: refunds wait in the store.
  private static func refundRunner(
    _ database: Database, _ shop: Shop, _ orders: SalesOrders, _ options: PostSalesOptions, _ loop: EventLoop,
    followUp: @escaping @Sendable () -> Void
  ) -> WorkRunner? {
    guard let client = shop.client else { return nil }
    var work = RefundWork(
      database: database, shop: RESTRefundShop(client: client, pageSize: shop.pageSize), orders: orders,
      credit: options.storeCreditRoute.map { CompanionStoreCredit(client: client, route: $0) }, mapping: shop.mapping,
      options: options)
    work.followUp = followUp
    let handler = work
    return WorkRunner(RefundWork.queue, in: database, loop: loop) { try await handler($0) }
  }

  private static func returnRunner(
    _ database: Database, _ shop: any ReturnShop, _ orders: SalesOrders, _ options: PostSalesOptions, _ loop: EventLoop
  ) -> WorkRunner {
    let work = ReturnWork(database: database, shop: shop, orders: orders, options: options)
    return WorkRunner(ReturnWork.queue, in: database, loop: loop) { try await work($0) }
  }
}
