import Commerce
import EventLoop
import Messages
import RPC
import ServiceKit
import Storage

/// Finds returns that were asked for in the shop, so that they go to the OMS by themselves.
struct ReturnPolling: Sendable {
  let poll: ShopPoll
  private let shop: any ReturnShop
  private let runner: WorkRunner

  init(
    _ shop: Shop, _ client: CommerceClient, returns: any ReturnShop, authorize: AuthorizeReturn, in database: Database,
    loop: EventLoop
  ) {
    self.shop = returns
    let runner = WorkRunner(AuthorizeReturn.queue, in: database, loop: loop) { try await authorize.attempt($0) }
    self.runner = runner
    // A return has no time of change; what is read is asked for once.
    let subject = ShopPoll.Subject(
      name: "returns", route: "V1/returns", criteria: SearchCriteria().where("status", .eq, "pending"),
      changed: "date_requested")
    poll = ShopPoll(subject, of: shop, client, in: database, loop: loop) { items in
      if items.isEmpty { return }
      let page = Page(items)
      try await database.write(weight: items.count) { try page.take($0) }
      runner.wake()
    }
  }

  func run(in setup: inout ServiceSetup) {
    runner.run(in: &setup)
    let shop = shop
    poll.run(in: &setup) { try await shop.hasReturns() }
  }

  /// Returns as the poll reads them.
  struct Page: Sendable {
    private(set) var returns: [ShopReturn] = []
    /// Those that can't be read wait where they are seen, rather than keep the others out: by entity id.
    private(set) var unreadable: [Int64: ReturnRecord] = [:]

    init(_ items: [JSONValue]) {
      for item in items {
        do {
          returns.append(try ShopReturn(item))
        } catch {
          hold(item, error)
        }
      }
    }

    private mutating func hold(_ item: JSONValue, _ error: any Error) {
      let (id, order) = (item.text(of: "entity_id"), item.text(of: "order_increment_id"))
      Log.error("a return of the shop can't be read", ["return": "\(quotable(id))", "reason": LogValue(error)])
      let isUsable = order.utf8.count <= PostSalesError.numberBytes && !hasNUL(order)
      guard let entityID = Int64(id), entityID > 0, isUsable else { return }
      var record = ReturnRecord(
        unasked: ShopReturn(rma: .init(entityId: entityID, orderIncrementId: order)), now: WallClock.nanoseconds())
      (record.reason, record.needsAttention) = ("the shop's return \(entityID) can't be read: \(error)", true)
      unreadable[entityID] = record
    }

    /// Has those asked for that are not known.
    func take(_ connection: Connection) throws {
      let store = ReturnStore()
      for made in returns {
        let isKnown = try store.find(entityID: made.rma.entityId, connection)?.isAsked ?? false
        if try isKnown || store.hasMade(made, connection) { continue }
        try add(made.rma.entityId, connection)
      }
      for (entityID, record) in unreadable where try store.find(entityID: entityID, connection) == nil {
        try store.save(record, connection)
        try add(entityID, connection)
      }
    }

    /// What waits already goes on waiting, and what can't be asked for until somebody resumes it.
    private func add(_ entityID: Int64, _ connection: Connection) throws {
      let key = "\(entityID)"
      if try AuthorizeReturn.queue.waiting(connection, key) == nil { try AuthorizeReturn.queue.add(connection, key) }
    }
  }
}
