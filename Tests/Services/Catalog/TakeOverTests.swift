import Commerce
import Messages
import Storage
import TestSupport
import Testing

@testable import Catalog

@Suite("Taking over products")
struct TakeOverTests {
  @Test("the OMS is told of what it reads, and of nothing else", arguments: TestEngine.allCases)
  func changes(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    #expect(try await catalog.store.takeOver([entry(mug())]) == .init(exported: 1))
    // Saved again; a picture, which no message carries.
    let touched = entry(
      mug {
        $0.updatedAt = 1_706_933_107
        $0.attributes["image"] = ["/new.jpg"]
      })
    #expect(try await catalog.store.takeOver([touched]) == .init(unchanged: 1))
    #expect(try await catalog.store.product("MUG")?.imageURL.hasSuffix("new.jpg") == true)
    #expect(try await catalog.store.product("MUG")?.updatedAt == 1_706_933_107)
    let renamed = entry(
      mug {
        $0.updatedAt = 1_706_933_108
        $0.name = "Cup"
      })
    #expect(try await catalog.store.takeOver([renamed]) == .init(exported: 1))
    #expect(try await catalog.messages() == ["MUG ACTIVE", "MUG ACTIVE"])
    #expect(try await catalog.store.takeOver([renamed], sendsAll: true) == .init(exported: 1))
    await catalog.database.close()
  }

  @Test("what was read earlier does not replace what was read later", arguments: TestEngine.allCases)
  func stale(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    _ = try await catalog.store.takeOver([entry(mug { $0.updatedAt = 2_000_000_000 })])
    #expect(try await catalog.store.takeOver([entry(mug { $0.name = "Old" })]) == .init(stale: 1))
    #expect(try await catalog.store.product("MUG")?.name == "Mug")
    // Another product under the same SKU has times of its own.
    let other = entry(
      mug {
        $0.id = 8
        $0.name = "New"
      })
    #expect(try await catalog.store.takeOver([other]) == .init(exported: 1))
    await catalog.database.close()
  }

  @Test(
    "a product with a new SKU leaves its old one inactive, and is found by its id under the new",
    arguments: TestEngine.allCases)
  func renamed(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    _ = try await catalog.store.takeOver([entry(mug())])
    let renamed = entry(
      mug {
        $0.sku = "CUP"
        $0.updatedAt = 1_706_933_107
      })
    #expect(try await catalog.store.takeOver([renamed]) == .init(exported: 1, deactivated: 1))
    #expect(try await catalog.messages() == ["CUP ACTIVE", "MUG ACTIVE", "MUG INACTIVE"])
    #expect(try await catalog.store.products(ids: [7], skus: []).map(\.sku) == ["CUP"])
    #expect(try await catalog.store.takeOver([renamed]) == .init(unchanged: 1))
    await catalog.database.close()
  }

  @Test("two products that swap their SKUs keep them", arguments: TestEngine.allCases)
  func swapped(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    let named = { (id: Int64, sku: String) in
      entry(
        mug {
          $0.id = id
          $0.sku = sku
        })
    }
    _ = try await catalog.store.takeOver([named(1, "A"), named(2, "B")])
    #expect(try await catalog.store.takeOver([named(1, "B"), named(2, "A")]) == .init(exported: 2))
    #expect(
      try await catalog.store.products(ids: [1, 2], skus: []).map { "\($0.productID) \($0.sku) \($0.status)" } == [
        "2 A ACTIVE", "1 B ACTIVE",
      ])
    await catalog.database.close()
  }

  @Test("what is gone becomes inactive, once, and active when it comes back", arguments: TestEngine.allCases)
  func gone(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    let store = catalog.store
    let shirt = entry(
      mug {
        $0.sku = "SHIRT"
        $0.type = "configurable"
      }, children: ["SHIRT-S", "SHIRT \"M\""])
    _ = try await store.takeOver([shirt])
    for deactivated in [1, 0] {
      let outcome = try await catalog.database.write {
        try store.deactivate($0, skus: ["SHIRT", "NONE"], facts: facts)
      }
      #expect(outcome.deactivated == deactivated)
    }
    #expect(try await store.product("SHIRT")?.childrenSKUs == ["SHIRT-S", "SHIRT \"M\""])
    #expect(try await store.takeOver([shirt]) == .init(exported: 1))
    #expect(try await catalog.messages() == ["SHIRT ACTIVE", "SHIRT INACTIVE", "SHIRT ACTIVE"])
    await catalog.database.close()
  }

  @Test(
    "what is gone keeps the type by which the OMS knows it",
    arguments: [
      ("giftcard", "1", "simple", "virtual"), ("giftcard", "0", "virtual", "virtual"),
      ("subscription", nil, "simple", "simple"), ("configurable", nil, "configurable", "configurable"),
    ] as [(String, String?, String, String)])
  func goneType(type: String, card: String?, expected: String, withoutTold: String) async throws {
    let catalog = try TemporaryCatalog()
    let store = catalog.store
    let product = entry(
      mug {
        $0.type = type
        if let card { $0.attributes["giftcard_type"] = [card] }
      })
    func typeWhenGone() async throws -> String? {
      _ = try await catalog.database.write { try store.deactivate($0, skus: ["MUG"], facts: facts) }
      return try await catalog.lastMessage()?.type
    }
    _ = try await store.takeOver([product])
    #expect(try await catalog.lastMessage()?.type == expected)
    #expect(try await typeWhenGone() == expected)
    #expect(try await store.product("MUG")?.type == type)
    var renamed = product
    renamed.sku = "CUP"
    _ = try await store.takeOver([product])
    #expect(try await store.takeOver([renamed]).deactivated == 1)
    let types = try await catalog.database.read { connection in
      try connection.withStatement("SELECT body FROM outbox WHERE message_key = 'MUG' ORDER BY id") { statement in
        var types: Set<String> = []
        while try statement.step() {
          types.insert(try Magento.Oms.V1.ProductUpdated(json: statement.blob(0)).product?.type ?? "")
        }
        return types
      }
    }
    #expect(types == [expected])
    // Stored by an earlier version, which did not store what it told.
    try await catalog.database.write {
      try $0.execute("UPDATE product SET told = x'', status = 'ACTIVE', product_id = 0 WHERE sku = 'MUG'")
    }
    #expect(try await typeWhenGone() == withoutTold)
    await catalog.database.close()
  }

  @Test("5 000 products are one transaction, and what fails in it takes all of it back", arguments: TestEngine.allCases)
  func batch(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    let entries = (1...CatalogRules.batch).map { number in
      entry(
        mug {
          $0.id = Int64(number)
          $0.sku = "P-\(number)"
        })
    }
    struct Failed: Error {}
    await #expect(throws: Failed.self) {
      try await catalog.store.takeOver(entries) { _, _ in throw Failed() }
    }
    #expect(try await catalog.messages().isEmpty)
    let before = catalog.database.commits
    #expect(try await catalog.store.takeOver(entries) == .init(exported: CatalogRules.batch))
    #expect(catalog.database.commits - before == 1)
    #expect(try await catalog.messages().count == CatalogRules.batch)
    #expect(try await catalog.store.takeOver(entries) == .init(unchanged: CatalogRules.batch))
    let page = try await catalog.store.page(after: "P-5", limit: 3, byteLimit: .max)
    #expect(page.rows.map(\.sku) == ["P-50", "P-500", "P-5000"] && !page.isLast)
    await catalog.database.close()
  }

  @Test("of a SKU that comes twice the last counts")
  func twice() async throws {
    let catalog = try TemporaryCatalog()
    #expect(try await catalog.store.takeOver([entry(mug()), entry(mug { $0.name = "Last" })]) == .init(exported: 1))
    #expect(try await catalog.store.product("MUG")?.name == "Last")
    await catalog.database.close()
  }

  @Test("shipping methods and services are entries of the catalog, those of the mapping file and no others")
  func mapped() async throws {
    let catalog = try TemporaryCatalog()
    let products = MappedProducts(mapping: mapping, store: catalog.store)
    #expect(try await products.export(facts) == .init(exported: 3))
    #expect(try await products.export(facts) == .init(unchanged: 3))
    #expect(try await catalog.messages() == ["DHL ACTIVE", "FEE ACTIVE", "STANDARD ACTIVE"])
    let dhl = try #require(try await catalog.store.product("DHL"))
    #expect(dhl.name == "By night" && dhl.type == "shipping" && dhl.price.isEmpty)
    try await catalog.clearMessages()
    let fewer = MappedProducts(mapping: Mapping(), store: catalog.store)
    #expect(try await fewer.export(facts) == .init(unchanged: 1))
    #expect(try await catalog.messages() == ["DHL INACTIVE", "FEE INACTIVE"])
    await catalog.database.close()
  }
}
