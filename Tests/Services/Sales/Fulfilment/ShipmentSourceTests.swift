import Testing

@testable import Commerce
@testable import Sales

@Suite("The source that a shipment leaves from")
struct ShipmentSourceTests {
  @Test(
    "a shop with several sources is told the website's, else the one that every shop has",
    arguments: [
      (["base": "berlin"], "berlin"), (["base": nil], "default"), ([:], "default"), (["us": "ny"], "default"),
    ] as [([String: String?], String)])
  func sources(mapped: [String: String?], source: String) async throws {
    var mapping = FollowedOrder.mapping
    for (website, source) in mapped { mapping.aggregates["OF-\(website)"] = .init(website: website, source: source) }
    let order = try await FollowedOrder(mapping, usesSources: true)
    try await order.ships(1)
    try await order.follow()
    #expect(order.shop.sources == [source])
    #expect(try await order.attention() == "")
    await order.sales.database.close()
  }
}
