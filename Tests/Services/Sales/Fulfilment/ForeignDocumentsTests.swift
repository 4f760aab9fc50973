import Testing

@testable import Commerce
@testable import Sales

@Suite("Documents that people make in the shop")
struct ForeignDocumentsTests {
  @Test(
    "what people make in the shop is told, whatever they write on it",
    arguments: [
      "OMS", "OMS was told by phone", "OMS: invoice for shipment request R-9", "OMS: what was left to invoice, I think",
      "OMS: invoice for shipment request R-1, by hand",
    ])
  func people(comment: String) async throws {
    let order = try await FollowedOrder()
    try await order.ships(1)
    try await order.follow()
    #expect(try await order.attention() == "")
    try order.shop.change { try $0.invoice([3: 1], marker: comment, capture: true) }
    try await order.updated("LOGISTICS")
    try await order.follow()
    #expect(try await order.attention() == "invoice 2 was made in the shop, though the OMS owns the order")
    await order.sales.database.close()
  }

  @Test("a second document with a mark of the connector's is somebody's copy")
  func copied() async throws {
    let order = try await FollowedOrder()
    try await order.ships(1)
    try await order.follow()
    let mark = try #require(order.shop.model.invoices.first?.comments.first)
    try order.shop.change { try $0.invoice([3: 1], marker: mark, capture: true) }
    try await order.updated("LOGISTICS")
    try await order.follow()
    #expect(try await order.attention() == "invoice 2 was made in the shop, though the OMS owns the order")
    await order.sales.database.close()
  }
}
