import Commerce
import EventLoop
import Messages
import Storage
import TestSupport
import Testing

@testable import Catalog

@Suite("Deletions that are held back", .timeLimit(.minutes(2)))
struct HeldProductTests {
  /// `count` products of a shop, with SKUs of its own.
  private func products(_ count: Int, _ prefix: String) -> [CatalogEntry] {
    (1...count).map { number in
      entry(
        mug {
          $0.id = Int64(number)
          $0.sku = "\(prefix)-\(number)"
        })
    }
  }

  private func active(_ catalog: TemporaryCatalog, _ prefix: String) async throws -> Int {
    try await catalog.store.page(after: "", limit: 10_000, byteLimit: .max).rows.count {
      $0.sku.hasPrefix(prefix) && $0.status == "ACTIVE"
    }
  }

  @Test(
    "another shop with the same ids does not make the products of this one inactive", arguments: TestEngine.allCases)
  func otherShop(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    let store = catalog.store
    _ = try await store.takeOver(products(200, "OURS"))
    #expect(try await store.takeOver(products(200, "THEIRS")) == .init(exported: 200, held: 200))
    #expect(try await active(catalog, "OURS") == 200)
    let held = try await catalog.database.read { try HeldProduct.page($0, after: "", limit: 2) }
    #expect(
      held.map { "\($0.sku) \($0.productID) \($0.name) \($0.reason) \($0.newSKU)" } == [
        "OURS-1 1 Mug renamed THEIRS-1", "OURS-10 10 Mug renamed THEIRS-10",
      ])
    #expect(try await store.products(ids: [1], skus: []).map(\.sku) == ["THEIRS-1"], "the id is the new SKU's")
    // The right shop again: what comes again is held no more, and the others' products are as many.
    #expect(try await store.takeOver(products(200, "OURS")) == .init(unchanged: 200, held: 200))
    let counts = try await catalog.database.read { try HeldProduct.counts($0) }
    #expect(counts == (missing: 0, renamed: 200))
    #expect(try await catalog.database.read { try HeldProduct.rows($0, skus: ["OURS-1"]) }.isEmpty)
    await catalog.database.close()
  }

  @Test("many small passes are one large one: counted is by the day", arguments: TestEngine.allCases)
  func byTheDay(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    let store = catalog.store
    _ = try await store.takeOver(products(200, "OURS"))
    var outcome = TakeOverOutcome()
    for entry in products(200, "THEIRS") { outcome += try await store.takeOver([entry]) }
    #expect(outcome == .init(exported: 200, deactivated: 40, held: 160), "a fifth of 200")
    await catalog.database.close()
  }

  @Test("a day begins with its first deletion and lasts 24 hours, also after a clock that was ahead")
  func day() async throws {
    let catalog = try TemporaryCatalog()
    let day = DeletionGuard.day
    let allowed: [(count: Int, at: Int64, Bool)] = [
      (15, day, true), (6, day, false), (5, day, true), (1, 2 * day, false), (20, 2 * day + 1, true),
      (1, 2 * day + 2, false), (1, 0, true),
    ]
    for (count, now, expected) in allowed {
      let isAllowed = try await catalog.database.write { try DeletionGuard.allows($0, count, of: 100, now: now) }
      #expect(isAllowed == expected, "\(count) at \(now)")
    }
    await catalog.database.close()
  }

  @Test("a few renamed products go on without anybody")
  func few() async throws {
    let catalog = try TemporaryCatalog()
    _ = try await catalog.store.takeOver(products(20, "OLD"))
    #expect(try await catalog.store.takeOver(products(20, "NEW")) == .init(exported: 20, deactivated: 20))
    await catalog.database.close()
  }

  @Test("a client's product with the id of another one is taken over if the shop says the same")
  func foreignIDs() async throws {
    let shop = try FakeShop()
    let catalog = try TemporaryCatalog()
    let intake = ShopIntake(reader: ShopReader(shop.shop(Mapping()), shop.client), store: catalog.store) {}
    _ = try await catalog.store.takeOver(products(5, "OLD"))
    shop.put(1...2) { "OLD-\($0)" }
    shop.put(3...3) { _ in "NEW" }
    let claimed = [(1, "OLD-1"), (2, "MINE"), (3, "NEW"), (4, "GONE"), (9, "OTHER"), (0, "NONE")].map { id, sku in
      mug { ($0.id, $0.sku) = (id, sku) }
    }
    let wrong = try await intake.wrongIDs(of: claimed)
    #expect(wrong.keys.sorted() == [1, 3])
    #expect(wrong[1]?.contains("id 2 is \"OLD-2\" so far, and the shop has it for \"OLD-2\"") == true)
    #expect(wrong[3]?.contains("no product of that id") == true)
    shop.stop()
    await catalog.database.close()
  }

  @Test("what the operator applies becomes inactive, unless the shop has it after all", arguments: TestEngine.allCases)
  func applied(engine: TestEngine) async throws {
    let shop = try FakeShop()
    let group = try EventLoopGroup(loops: 1)
    let catalog = try TemporaryCatalog(engine)
    let store = catalog.store
    let intake = ShopIntake(reader: ShopReader(shop.shop(Mapping()), shop.client), store: store) {}
    let room = OutboxRoom(store: store, loop: group.loops[0])
    _ = try await store.takeOver(products(50, "OLD"))
    #expect(try await store.takeOver(products(50, "NEW")).held == 50)
    try await catalog.clearMessages()
    shop.put(60...60) { _ in "OLD-2" }
    let decided = try await intake.deactivateHeld(["OLD-1", "OLD-2", "NEW-1"], room: room)
    #expect(decided == (deactivated: 1, kept: 1))
    #expect(try await catalog.messages() == ["OLD-1 INACTIVE"])
    let told = try await catalog.database.read { connection in
      try connection.withStatement("SELECT body FROM outbox") {
        try $0.step() ? try Magento.Oms.V1.ProductUpdated(json: $0.blob(0)).product?.id : nil
      }
    }
    #expect(told == "1", "the id by which the OMS knows it")
    #expect(try await store.keepHeld(["OLD-3", "OLD-1"]) == (deactivated: 0, kept: 1))
    #expect(try await catalog.database.read { try HeldProduct.counts($0) }.renamed == 47)
    #expect(try await store.product("OLD-3")?.status == "ACTIVE")
    shop.stop()
    await catalog.database.close()
    group.stop()
  }
}
