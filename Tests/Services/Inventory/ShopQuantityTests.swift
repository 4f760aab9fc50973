import Commerce
import Testing

@testable import Inventory

/// magento-rules.md §4.
@Suite("Quantities for the shop")
struct ShopQuantityTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var quantity: Int64
    /// website, acknowledged, unacknowledged
    var units: [(String, String, String)]
    var withSources: String
    var without: String
  }

  static let cases = [
    Case(testDescription: "no open orders", quantity: 7, units: [], withSources: "7", without: "7"),
    Case(
      testDescription: "what the OMS has taken off is reserved in the shop, too", quantity: 7,
      units: [("base", "3", "0")], withSources: "10", without: "7"),
    Case(
      testDescription: "what the OMS doesn't know of is reserved, or taken off already", quantity: 7,
      units: [("base", "0", "2")], withSources: "7", without: "5"),
    Case(
      testDescription: "both, on several websites: sources count those of their stock", quantity: 7,
      units: [("base", "1", "2"), ("outlet", "2", "1"), ("us", "4", "3")], withSources: "10", without: "1"),
    Case(
      testDescription: "never below 0", quantity: 1, units: [("base", "0", "5")], withSources: "1", without: "0"),
    Case(
      testDescription: "decimal quantities", quantity: 2, units: [("base", "0.5", "0.25")], withSources: "2.5",
      without: "1.75"),
    Case(
      testDescription: "no more than the shop's column holds", quantity: .max, units: [], withSources: "99999999",
      without: "99999999"),
  ]

  @Test("what the shop is told", arguments: cases)
  func value(_ one: Case) throws {
    let units = try one.units.map { website, acknowledged, unacknowledged in
      OpenUnits(
        website: website, acknowledged: try #require(Decimal(acknowledged)),
        unacknowledged: try #require(Decimal(unacknowledged)))
    }
    let route = PushRoute.source(code: "berlin", websites: ["base", "outlet"])
    #expect(ShopQuantity.value(one.quantity, units, route).text == one.withSources)
    #expect(ShopQuantity.value(one.quantity, units, .stockItem).text == one.without)
  }
}

@Suite("Where an aggregate's stock goes")
struct PushRouteTests {
  static let shop = ShopInventory(
    hasSources: true, sources: ["default", "berlin", "oslo"], websites: [1: ["us"], 2: ["base", "outlet"]],
    sourcesOfStock: [1: ["default"], 2: ["berlin"]])

  @Test("with sources, to the source that is named, with the websites of the website's stock")
  func source() throws {
    let targets = [
      "EU": PushTarget(website: "base", source: "berlin"), "US": PushTarget(website: "us"),
      "NO": PushTarget(website: "none", source: "oslo"),
    ]
    #expect(
      try PushRoute("EU", of: targets, in: Self.shop) == .source(code: "berlin", websites: ["base", "outlet"]))
    #expect(try PushRoute("US", of: targets, in: Self.shop) == .source(code: "default", websites: ["us"]))
    #expect(try PushRoute("NO", of: targets, in: Self.shop) == .source(code: "oslo", websites: ["none"]))
  }

  @Test(
    "what can't be done is said, with what to do",
    arguments: [
      (["EU": PushTarget(website: "base", source: "rome")], true, "the shop has no source rome; create it"),
      (
        ["EU": PushTarget(website: "base"), "US": PushTarget(website: "us")], true,
        "aggregates EU and US both go to source default; give each a source of its own"
      ),
      (
        ["EU": PushTarget(website: "base"), "US": PushTarget(website: "us")], false,
        "the shop has no multi-source inventory, so a product has one quantity"
      ),
      (["US": PushTarget(website: "us")], true, "aggregate EU is not in the mapping file"),
    ])
  func problem(targets: [String: PushTarget], hasSources: Bool, said: String) {
    var shop = Self.shop
    shop.hasSources = hasSources
    let problem = #expect(throws: PushProblem.self) { try PushRoute("EU", of: targets, in: shop) }
    #expect(problem?.description.hasPrefix(said) ?? false, "\(problem?.description ?? "")")
  }

  @Test("without sources, to the product")
  func product() throws {
    #expect(
      try PushRoute("EU", of: ["EU": PushTarget(website: "base", source: "berlin")], in: ShopInventory()) == .stockItem)
  }

  @Test("a SKU is always in the same partition, and neighbours are spread")
  func partitions() {
    let parts = (0..<10_000).map { StockPartition.of("24-MB\($0)") }
    #expect(parts == (0..<10_000).map { StockPartition.of("24-MB\($0)") })
    let sizes = Dictionary(grouping: parts) { $0 }.mapValues(\.count)
    #expect(sizes.count == StockPartition.count)
    #expect(sizes.values.allSatisfy { (400...900).contains($0) }, "\(sizes)")
    #expect(PushKey(PushKey("EU WEB", 7).text) == PushKey("EU WEB", 7))
    #expect(PushKey("16 EU") == nil && PushKey("EU") == nil)
  }
}
