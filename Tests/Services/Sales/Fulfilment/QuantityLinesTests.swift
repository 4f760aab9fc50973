import Messages
import Storage
import Testing

@testable import Commerce
@testable import Sales

@Suite("Lines with many units in the shop")
struct QuantityLinesTests {
  /// 150 bundles of a cup and two spoons, whose lines are not taken apart.
  private func plan(
    cups: [String: Decimal] = [:], spoons: [String: Decimal] = [:], cancelled: Bool = false, fixed: Bool = false,
    status: OrderStatus = .init(code: "LOGISTICS"), _ change: (inout ModelShop) -> Void = { _ in }
  ) -> (quantities: ItemQuantities, next: ShopPlan.Step) {
    var shop = ModelShop()
    shop.items = [
      .init(id: 10, parent: nil, type: "bundle", price: fixed ? 30 : 0, ordered: 150, hasFixedPrice: fixed),
      .init(id: 11, parent: 10, type: "simple", price: fixed ? 0 : 10, ordered: 150),
      .init(id: 12, parent: 10, type: "simple", price: fixed ? 0 : 10, ordered: 300, perParent: 2),
    ]
    change(&shop)
    func part(_ number: Int, _ item: Int64, _ quantity: Decimal, _ shipped: [String: Decimal]) -> FulfilmentLedger.Line
    {
      .init(
        number: number, itemID: item, parent: 1, sku: "S\(item)", kind: .physical, quantity: quantity, shipped: shipped,
        isCancelled: cancelled)
    }
    let ledger = FulfilmentLedger(
      incrementID: "7", entityID: 7, website: "base", payment: .init(model: .offline, capturesInParts: true),
      createdAt: 0, status: status, statusAt: 0, statusReceivedAt: 0,
      lines: [
        .init(number: 1, itemID: 10, sku: "S10", kind: .bundle, quantity: 150, shipsTogether: true),
        part(2, 11, 150, cups), part(3, 12, 300, spoons),
      ], shipments: [.init(key: "A", tracks: [], isDone: true)])
    return (
      ItemQuantities(ledger: ledger, shop: shop.order),
      ShopPlan(ledger: ledger, shop: shop.order, now: FulfilmentLedger.parcelPatience).next
    )
  }

  @Test("of bundles that ship together as many have left as all parts have left of")
  func together() {
    let quantities = plan(cups: ["A": 100], spoons: ["A": 120, "B": 180]).quantities
    #expect(quantities.shipped(by: ["A"]) == [10: 60])
    #expect(quantities.shipped(by: ["A", "B"]) == [10: 100])
    #expect(quantities.invoiced(through: ["A"], withVirtual: false) == [11: 100, 12: 120])
    #expect(quantities.invoiceableLive() == [11: 150, 12: 300])
  }

  @Test("bundles with a price of their own are due once nothing more of them is to come")
  func fixed() {
    let open = plan(cups: ["A": 100], spoons: ["A": 120], fixed: true).quantities
    #expect(open.invoiced(through: ["A"], withVirtual: false) == [10: 60])
    let ended = plan(cups: ["A": 100], spoons: ["A": 120], cancelled: true, fixed: true).quantities
    #expect(ended.invoiced(through: ["A"], withVirtual: false) == [10: 100])
    #expect(ended.invoiceableLive() == [10: 100])
  }

  @Test("of bundles that leave in part as many are an operator's as are not whole")
  func torn() {
    let next = plan(
      cups: ["A": 100], spoons: ["A": 120], cancelled: true, status: .init(code: "COMPLETE", reason: "PARTIALLYSHIPPED")
    ) { shop in
      shop[10].shipped = 60
      (shop[11].invoiced, shop[11].cancelled) = (100, 50)
      (shop[12].invoiced, shop[12].cancelled) = (120, 180)
    }.next
    guard case .stuck(let reason) = next else {
      Issue.record("\(next)")
      return
    }
    #expect(reason.hasPrefix("of 40 × S10, which the shop ships as a whole, only line 2 (S11), line 3 (S12) left"))
  }

  @Test("units that the shop has sent count as sold no more, also of a line of which others are open")
  func openUnits() async throws {
    let sales = try TemporarySales()
    try await sales.add(order("7"), [line(1, quantity: 150)])
    var model = ModelShop()
    model.items = [.init(id: 3, parent: nil, type: "simple", ordered: 150)]
    let store = sales.store
    func open() async throws -> Decimal? {
      let shop = model.order
      return try await sales.database.write { connection in
        try store.closeLines(
          connection, of: "7", OpenLines.closed(try store.lines(connection, of: "7"), in: shop), now: 1)
        return try store.openUnits(connection, of: ["MUG"]).first?.acknowledged
      }
    }
    #expect(try await open() == 150)
    try model.ship([3: 100], marker: "A")
    #expect(try await open() == 50)
    #expect(try await open() == 50)
    try model.ship([3: 50], marker: "B")
    #expect(try await open() == nil)
    await sales.database.close()
  }

  @Test("what a late parcel has to bring is told by units")
  func late() async throws {
    let order = try await FollowedOrder()
    order.shop.change { $0.items = [.init(id: 3, parent: nil, type: "simple", ordered: 150)] }
    let store = order.store
    try await order.sales.database.write { connection in
      try store.replaceLines(connection, of: "7", with: [line(1, quantity: 150)])
    }
    try await order.tell(
      Parcel(
        Array(
          #"{"shipment":{"order_id":"7","shipment_request_id":"R","items":[{"order_line_number":1}],"packages":[{"aggregated_items":[{"sku":"MUG","quantity":100}]}]}}"#
            .utf8)))
    try await order.updated("COMPLETE", "FULLYSHIPPED")
    guard case .again(_, let reason) = try await order.follow() else {
      throw StorageError(.corrupt, "it does not wait")
    }
    #expect(reason.contains("50 of 150 of line 1 (MUG)"))
    #expect(order.shop.model[3].shipped == 100 && order.shop.model[3].invoiced == 100)
    await order.sales.database.close()
  }

  @Test(
    "what is cancelled of a line with many units is cancelled in the shop once no parcel with others can be under way")
  func cancelled() async throws {
    let order = try await FollowedOrder()
    order.shop.change { $0.items = [.init(id: 3, parent: nil, type: "simple", ordered: 150)] }
    let store = order.store
    try await order.sales.database.write { connection in
      try store.replaceLines(connection, of: "7", with: [line(1, quantity: 150)])
    }
    let through =
      #"{"order":{"id":"7","status":"COMPLETE","status_reason":"PARTIALLYSHIPPED","lines":[{"line_number":1,"status":"CANCELLED"}]}}"#
    try await order.tell(OrderUpdate(updated: Array(through.utf8)))
    guard case .again = try await order.follow() else { throw StorageError(.corrupt, "it does not wait") }
    #expect(order.shop.model[3].cancelled == 0)
    try await order.tell(
      Parcel(
        Array(
          #"{"shipment":{"order_id":"7","shipment_request_id":"R","items":[{"order_line_number":1}],"packages":[{"aggregated_items":[{"sku":"MUG","quantity":100}]}]}}"#
            .utf8)))
    try await order.follow()
    #expect(order.shop.model[3].shipped == 100 && order.shop.model[3].invoiced == 100)
    let mapping = FollowedOrder.mapping
    let ledger = try #require(try await order.sales.database.read { try store.ledger($0, "7", mapping) })
    let later = ledger.statusReceivedAt + FulfilmentLedger.parcelPatience
    #expect(ShopPlan(ledger: ledger, shop: order.shop.model.order, now: later).next == .cancel)
    await order.sales.database.close()
  }

  @Test("what an invoice comes to is exact with the largest figures, and never more than its lines")
  func largest() throws {
    let lines = (1...171).map { number in
      FulfilmentLedger.Line(
        number: number, gross: .limit, itemID: 10, sku: "S", kind: .physical, quantity: .limit, shipped: ["A": .limit])
    }
    let ledger = FulfilmentLedger(
      incrementID: "7", entityID: 7, website: "base", payment: .init(model: .offline, capturesInParts: true),
      createdAt: 0, status: .init(code: "LOGISTICS"), statusAt: 0, statusReceivedAt: 0, lines: lines,
      shipments: [.init(key: "A", tracks: [], isDone: false)])
    var shop = ModelShop()
    shop.items = [.init(id: 10, parent: nil, type: "simple", ordered: Decimal.limit * 171)]
    guard case .invoice(let invoice) = ShopPlan(ledger: ledger, shop: shop.order, now: 0).next else {
      Issue.record("nothing is invoiced")
      return
    }
    #expect(invoice.amount == Decimal.limit * 171)
  }

  @Test("an order whose items share an id is unreadable")
  func sharedID() {
    let order = Magento.Commerce.V1.Order(incrementId: "7", items: [.init(itemId: 3), .init(itemId: 3)])
    let error = #expect(throws: CommerceError.self) {
      try OrderInShop(order, invoices: [], shipments: [], creditMemos: [], transactions: [])
    }
    #expect(error?.kind == .unreadable && error?.message == "item 3 is in it twice")
  }
}
