import Commerce
import EventLoop
import Messages
import Storage
import TestSupport
import Testing

@testable import Catalog

@Suite("Importing a product file", .timeLimit(.minutes(1)))
struct ProductImportTests {
  private final class Site: Sendable {
    let catalog: TemporaryCatalog

    init(_ engine: TestEngine = .sqlite) throws { catalog = try TemporaryCatalog(engine) }

    /// - Parameter meanwhile: what happens while the outbox has no room.
    func reading(
      _ facts: ShopFacts = facts, meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) -> ProductImport {
      ProductImport(catalog.store, mapping, facts, room: meanwhile) {}
    }

    func take(
      _ csv: String, meanwhile: @escaping @Sendable () async throws -> Void = {}
    ) async throws -> ImportOutcome {
      var reading = reading(meanwhile: meanwhile)
      try await reading.add(Array(csv.utf8))
      try await reading.end()
      return reading.outcome
    }

    /// What the OMS was told last.
    func told() async throws -> Magento.Oms.V1.Product? { try await catalog.lastMessage() }

    func stop() async { await catalog.database.close() }
  }

  /// Of the shop, with all that a file may leave unsaid.
  private let shirt = ShopProduct(
    id: 7, sku: "SHIRT", name: "Shirt", type: "configurable", isEnabled: true, price: Decimal("12.5"),
    weight: Decimal("0.4"), createdAt: 1_706_933_106, updatedAt: 1_706_933_107, childSKUs: ["S", "M"],
    attributes: ["color": ["Blue"], "activity": ["Gym"], "lifecycle": ["Outlet"], "image": ["/s.jpg"]],
    localNames: ["german": "Hemd"])

  @Test("a file with a few columns changes what they say, and leaves the rest", arguments: TestEngine.allCases)
  func partial(engine: TestEngine) async throws {
    let site = try Site(engine)
    // Two views are named where two are mapped.
    _ = try await site.catalog.store.takeOver([entry(shirt, children: shirt.childSKUs)])
    let before = try #require(try await site.told())
    let row = try #require(try await site.catalog.store.product("SHIRT"))
    #expect(before.status == "OUTLET" && before.name.count == 2 && before.customAttributes.count == 3)
    #expect(try await site.take("sku,qty\nSHIRT,5\n") == ImportOutcome(read: 1, unchanged: 1))
    #expect(try await site.take("sku,name,product_type,product_online,price\nSHIRT,,,,\n").unchanged == 1)
    #expect(try await site.take("sku,price\nSHIRT,13\n").exported == 1)
    var expected = before
    expected.price?.amount = Decimal("13")?.message
    expected.modifiedAt = ""
    #expect(try await site.told() == expected)
    let after = try #require(try await site.catalog.store.product("SHIRT"))
    #expect(after.imageURL == row.imageURL && after.productID == 7 && after.updatedAt == row.updatedAt)
    _ = try await site.take("sku,additional_attributes,weight\nSHIRT,\"color=Red,activity=__EMPTY__VALUE__\",0.5\n")
    expected.customAttributes[0].value = "Red"
    expected.customAttributes[2].value = "0.5"
    expected.customAttributes.remove(at: 1)
    #expect(try await site.told() == expected)
    _ = try await site.take("sku,store_view_code,name,product_online\nSHIRT,,Blouse,2\nSHIRT,german,Bluse,\n")
    expected.name[0].value = "Blouse"
    expected.name[1].value = "Bluse"
    (expected.status, expected.enabled) = ("INACTIVE", false)
    #expect(try await site.told() == expected)
    await site.stop()
  }

  @Test(
    "what the shop changes while a file waits for room stays, and so does what the file says",
    arguments: [1_706_933_107, nil] as [Int64?], TestEngine.allCases)
  func meanwhile(updatedAt: Int64?, engine: TestEngine) async throws {
    let site = try Site(engine)
    var (old, new) = (shirt, shirt)
    old.updatedAt = updatedAt
    new.updatedAt = 2_000_000_000
    new.name = "Blouse"
    let polled = entry(new, children: new.childSKUs)
    let store = site.catalog.store
    _ = try await store.takeOver([entry(old, children: old.childSKUs)])
    let outcome = try await site.take("sku,price\nSHIRT,13\n") {
      _ = try await store.takeOver([polled])
    }
    #expect(outcome == ImportOutcome(read: 1, exported: 1))
    let told = try #require(try await site.told())
    #expect(told.name[0].value == "Blouse" && told.price?.amount?.value == "13")
    #expect(try await store.product("SHIRT")?.updatedAt == 2_000_000_000)
    await site.stop()
  }

  @Test("rows of the same product go on from each other, and what the shop says next counts whole")
  func twice() async throws {
    let site = try Site()
    let outcome = try await site.take("sku,product_type,name,price\nMUG,simple,Mug,\nMUG,,,12.5\n")
    #expect(outcome == ImportOutcome(read: 2, exported: 1, unchanged: 1))
    let told = try #require(try await site.told())
    #expect(told.name[0].value == "Mug" && told.price?.amount?.value == "12.5")
    _ = try await site.catalog.store.takeOver([entry(mug())])
    #expect(try await site.take("sku,product_online\nMUG,1\n").unchanged == 1)
    await site.stop()
  }

  @Test(
    "a new product needs a name and a type",
    arguments: [
      ("sku,price\nNEW,5\n", "no name"), ("sku,name\nNEW,New\n", "no product_type"),
      ("sku,name,product_type\nNEW,,simple\n", "no name"), ("sku,name,product_type\nNEW,New,\n", "no product_type"),
    ])
  func new(csv: String, reason: String) async throws {
    let site = try Site()
    let outcome = try await site.take(csv)
    #expect(outcome.failed == 1 && outcome.exported == 0)
    #expect(outcome.issues.first?.place == 2 && outcome.issues.first?.reason.contains(reason) == true)
    await site.stop()
  }

  @Test("a shipping method's entry is not taken over by a file that does not name its type")
  func reserved() async throws {
    let site = try Site()
    _ = try await MappedProducts(mapping: mapping, store: site.catalog.store).export(facts)
    #expect(try await site.take("sku,name\nSTANDARD,Mine\n").issues.first?.reason.contains("shipping method") == true)
    await site.stop()
  }

  @Test("names in store views count against the memory, those that nobody wants are not kept")
  func memory() async throws {
    let site = try Site()
    var reading = site.reading()
    let name = String(repeating: "x", count: 60_000)
    try await reading.add(Array("sku,store_view_code,product_type,name\n".utf8))
    for number in 1...100 {
      let rows = "P\(number),,simple,Product\nP\(number),german,,\(name)\nP\(number),unknown,,\(name)\n"
      try await reading.add(Array(rows.utf8))
      #expect(reading.bytes < number * 60_100 && reading.bytes >= min(number, 2) * 60_000 - 60_000)
    }
    #expect(reading.bytes > 5 << 20)
    for number in 101...200 {
      try await reading.add(Array("P\(number),,simple,Product\nP\(number),german,,\(name)\n".utf8))
      #expect(reading.bytes <= ProductImport.bytesLimit)
    }
    #expect(reading.outcome.exported > 100, "a batch was taken over on the way")
    await site.stop()
  }
}
