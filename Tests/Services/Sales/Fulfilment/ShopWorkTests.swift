import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import Sales
@testable import ServiceKit

@Suite("Work on an order in the shop")
struct ShopWorkTests {
  private static let unavailable = CommerceError(
    .refused, status: 400, request: "POST V1/order/7/ship",
    "Shipment Document Validation Error(s):\nNot all of your products are available in the requested quantity.")

  @Test("what an operator had to look at is forgotten once it is true no more, also while the order waits")
  func attentionPasses() async throws {
    let order = try await FollowedOrder()
    try await order.ships(1)
    try await order.updated("COMPLETE", "PARTIALLYSHIPPED")
    order.shop.answer(Self.unavailable)
    await #expect(throws: CommerceError.self) { try await order.follow() }
    #expect(try await order.attention().contains("products are available"))
    order.shop.answer(nil)
    guard case .again(_, let reason) = try await order.follow() else { throw CommerceError(.failed, request: "", "") }
    #expect(reason.contains("line 2 (MUG) has neither left nor been cancelled"))
    #expect(order.shop.model.shipments.count == 1)
    #expect(try await order.attention() == "")
    await order.sales.database.close()
  }

  private static func refusal(_ what: String) -> CommerceError {
    CommerceError(
      .refused, status: 400, request: "POST V1/order/7/ship", "Could not save \(what), see error log for details")
  }

  private static func isPaid(at model: Mapping.CaptureModel) -> Mapping {
    var mapping = Mapping()
    mapping.payments["card"] = .init(model: model, capturesInParts: true)
    return mapping
  }

  @Test("what could not be saved, and asks no gateway, is tried again")
  func passing() async throws {
    let order = try await FollowedOrder(Self.isPaid(at: .custom))
    try await order.ships(1)
    order.shop.answer(Self.refusal("an invoice"))
    for _ in 0..<3 { await #expect(throws: Self.refusal("an invoice")) { try await order.follow() } }
    order.shop.answer(nil)
    try await order.follow()
    #expect(order.shop.model.invoices.count == 1 && order.shop.model.shipments.count == 1)
    #expect(try await order.attention() == "")
    order.shop.answer(Self.refusal("the order"))
    try await order.updated("CANCELLED")
    await #expect(throws: Self.refusal("the order")) { try await order.follow() }
    order.shop.answer(nil)
    try await order.follow()
    #expect(order.shop.model[3].cancelled == 1)
    await order.sales.database.close()
  }

  @Test("what could not be saved for long is an operator's")
  func lasting() async throws {
    var order = try await FollowedOrder(Self.isPaid(at: .custom))
    var options = ShopWork.Options()
    options.refusalPatience = .nanoseconds(-1)
    order.work = ShopWork(store: order.store, link: order.shop, mapping: Self.isPaid(at: .custom), options: options)
    try await order.ships(1)
    order.shop.answer(Self.refusal("an invoice"))
    guard case .parked = try await order.follow() else { throw CommerceError(.failed, request: "", "") }
    #expect(try await order.attention().contains("Could not save an invoice"))
    await order.sales.database.close()
  }

  @Test("a document on which the shop fails each time is an operator's, and tried on until it is given up")
  func failing() async throws {
    var order = try await FollowedOrder(Self.isPaid(at: .custom))
    var options = ShopWork.Options()
    (options.refusalPatience, options.grace) = (.nanoseconds(-1), .zero)
    order.work = ShopWork(store: order.store, link: order.shop, mapping: Self.isPaid(at: .custom), options: options)
    try await order.ships(1)
    let failure = CommerceError(.failed, status: 500, request: "POST V1/order/7/ship", "Report ID: webapi-1")
    order.shop.answer(failure)
    for _ in 0..<3 {
      guard case .unsettled = try await order.follow() else { throw failure }
      #expect(try await order.attention().contains("Report ID: webapi-1"))
    }
    options.giveUpAfter = .nanoseconds(-1)
    order.work = ShopWork(store: order.store, link: order.shop, mapping: Self.isPaid(at: .custom), options: options)
    guard case .parked = try await order.follow() else { throw failure }
    #expect(try await order.attention().hasPrefix("given up after 4 attempts: POST V1/order/7/ship answers 500"))
    let store = order.store
    try await order.sales.database.write { try store.orderQueue.add($0, "7") }
    order.shop.answer(nil)
    options.giveUpAfter = .seconds(60)
    order.work = ShopWork(store: order.store, link: order.shop, mapping: Self.isPaid(at: .custom), options: options)
    #expect(try await order.follow() == .done)
    #expect(order.shop.model.invoices.count == 1 && order.shop.model.shipments.count == 1)
    #expect(try await order.attention() == "")
    await order.sales.database.close()
  }

  @Test(
    "what the shop will never make, and an invoice that may have got the money, is not tried again",
    arguments: [
      (
        Mapping.CaptureModel.custom,
        "Invoice Document Validation Error(s):\nThe order does not allow an invoice to be created."
      ),
      (.custom, "We found an invalid quantity to invoice item \"Mug\"."), (.offline, "Could not save an invoice"),
    ])
  func final(model: Mapping.CaptureModel, said: String) async throws {
    let order = try await FollowedOrder(Self.isPaid(at: model))
    try await order.ships(1)
    order.shop.answer(CommerceError(.refused, status: 400, request: "POST V1/order/7/invoice", said))
    guard case .parked = try await order.follow() else { throw CommerceError(.failed, request: "", "") }
    #expect(try await order.attention() != "")
    await order.sales.database.close()
  }

  @Test("what is given up after two days of errors is said on the order, and goes on when it is resumed")
  func givenUp() async throws {
    let order = try await FollowedOrder(giveUpAfter: .nanoseconds(-1))
    try await order.ships(1)
    order.shop.answer(CommerceError(.unreachable, request: "POST V1/order/7/invoice", "nobody listens"))
    guard case .parked = try await order.follow() else { throw CommerceError(.failed, request: "", "") }
    #expect(try await order.attention().hasPrefix("given up after 1 attempts: POST V1/order/7/invoice: nobody listens"))
    let store = order.store
    let listed = try await order.sales.database.read {
      try store.orders($0, OrderFilter(needsAttention: true), after: nil, limit: 9)
    }
    #expect(listed.map(\.incrementID) == ["7"])
    order.shop.answer(nil)
    try await order.sales.database.write { try store.orderQueue.add($0, "7") }
    try await order.follow()
    #expect(order.shop.model.shipments.count == 1)
    #expect(try await order.attention() == "")
    await order.sales.database.close()
  }
}
