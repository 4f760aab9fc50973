import Commerce
import EventLoop
import Messages
import ServiceKit
import Storage

/// Finds credit memos that somebody has made in the shop for orders that the OMS owns (magento-rules.md §6, "Blocking in the
/// shop"): the OMS knows nothing of them, so each becomes a refund that an operator has to see to.
struct ForeignMemos: Sendable {
  /// Keys are credit memos' entity ids.
  static let queue = WorkQueue(kind: "credit memo of the shop")

  /// How far back memos are looked at, from the start of the service: the first reading is not of a shop's whole history, and an
  /// outage is made up for.
  static let span: Int64 = 7 * 86_400

  let poll: ShopPoll
  private let runner: WorkRunner

  init(
    _ shop: Shop, _ client: CommerceClient, orders: any OrderBook, in database: Database, loop: EventLoop
  ) {
    let runner = WorkRunner(Self.queue, in: database, loop: loop) { item in
      let memo = try await client.getJSON("V1/creditmemo/\(Int64(item.key) ?? 0)").root
      try await Self.note(memo, client, orders, database)
      return .done
    }
    self.runner = runner
    let since = ShopTime.text(WallClock.nanoseconds() / 1_000_000_000 - Self.span)
    let criteria = SearchCriteria().where("created_at", .gteq, since)
    poll = ShopPoll(
      .init(name: "credit memos", route: "V1/creditmemos", criteria: criteria), of: shop, client, in: database,
      loop: loop
    ) { items in
      let memos = items.map(Seen.init)
      if memos.isEmpty { return }
      try await database.write(weight: memos.count) { try Self.take(memos, $0) }
      runner.wake()
    }
  }

  func run(in setup: inout ServiceSetup) {
    poll.run(in: &setup)
    runner.run(in: &setup)
  }

  /// What stands for a credit note number, which the OMS has given none.
  static func creditNote(_ memoID: String) -> String { "shop memo \(memoID)" }

  /// Has memos looked at that are not known and not the connector's: those bear the number of a refund that the OMS has told of.
  static func take(_ memos: [Seen], _ connection: Connection) throws {
    let store = RefundStore()
    for memo in memos where !memo.id.isEmpty {
      let isOurs = try memo.numbers.contains { try store.refund($0, connection) != nil }
      if try !isOurs && store.refund(creditNote(memo.id), connection) == nil { try queue.add(connection, memo.id) }
    }
  }

  /// A memo as a page of the shop shows it.
  struct Seen: Sendable {
    /// Magento's entity id.
    let id: String
    /// Credit notes that its comments mark it with.
    let numbers: [String]

    init(_ memo: JSONValue) {
      id = memo.text(of: "entity_id")
      numbers = CreditNoteMark.numbers(
        in: (memo["comments"]?.elements ?? []).compactMap { $0["comment"]?.string })
    }
  }

  /// Whether the OMS owned the order already when the memo was made. Before that the shop did: what is made of an order that waits
  /// keeps it from being exported as it was.
  ///
  /// - Parameter memo: as the shop answers it.
  static func concerns(_ order: KnownOrder, _ memo: JSONValue) -> Bool {
    guard order.isWithOMS, let sentAt = order.sentAt else { return false }
    // The shop's times have whole seconds.
    return ShopTime.seconds(memo.text(of: "created_at")).map { $0 >= sentAt / 1_000_000_000 } ?? true
  }

  private static func note(
    _ memo: JSONValue, _ client: CommerceClient, _ orders: any OrderBook, _ database: Database
  ) async throws {
    let document = try ShopDocument(memo, kind: "credit memo")
    let order = try ShopOrder(try await client.getJSON("V1/orders/\(memo.text(of: "order_id"))").root)
    guard !document.isCanceled, let known = try await orders.order(order.incrementID), concerns(known, memo) else {
      return
    }
    let number = memo.text(of: "increment_id")
    try await database.write(key: order.incrementID) { connection in
      let store = RefundStore()
      let name = creditNote("\(document.id)")
      guard try store.refund(name, connection) == nil else { return }
      let now = WallClock.nanoseconds()
      var record = RefundRecord(
        creditNote: name, incrementID: order.incrementID, state: .stuck, type: .appeasement, rma: "", status: "",
        statusReason: "", statusAt: 0, amount: document.total.order, createdAt: now)
      record.currency = order.currencies.order
      record.refunded = document.total.order
      record.reason =
        "credit memo \(number) of \(document.total.order) \(order.currencies.order) was made in the shop, not by the OMS, which "
        + "owns the order and knows nothing of it: tell the OMS, then settle this"
      record.memos = [
        .init(
          id: document.id, invoiceID: document.invoiceID, isOnline: document.invoiceID != 0,
          amount: document.total.order)
      ]
      record.dueAt = now
      try store.save(record, connection)
    }
    Log.error(
      "a credit memo was made in the shop for an order that the OMS owns",
      ["memo": "\(number)", "order": "\(order.incrementID)", "amount": "\(document.total.order)"])
  }
}
