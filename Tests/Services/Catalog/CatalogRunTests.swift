import Commerce
import EventLoop
import Glibc
import Storage
import TestSupport
import Testing

@testable import Catalog

@Suite("Reading the whole catalog", .timeLimit(.minutes(2)))
struct CatalogRunTests {
  /// A service without its ports, over a shop.
  private final class Site: Sendable {
    let shop: FakeShop
    let catalog: TemporaryCatalog
    let group: EventLoopGroup
    let mapping: Mapping

    init(_ mapping: Mapping = Mapping(), _ engine: TestEngine = .sqlite) throws {
      shop = try FakeShop()
      catalog = try TemporaryCatalog(engine)
      group = try EventLoopGroup(loops: 1)
      self.mapping = mapping
    }

    func intake(_ store: CatalogStore? = nil) -> ShopIntake {
      ShopIntake(reader: ShopReader(shop.shop(mapping), shop.client), store: store ?? catalog.store) {}
    }

    /// A replica, which begins nothing by itself.
    func runs(_ store: CatalogStore? = nil) -> CatalogRuns {
      CatalogRuns(intake(store), loop: group.loops[0], reconciling: .seconds(3_600))
    }

    func stop() async {
      shop.stop()
      await catalog.database.close()
      group.stop()
    }
  }

  @Test("a full export sends all, changed or not, and says what it did", arguments: TestEngine.allCases)
  func full(engine: TestEngine) async throws {
    let site = try Site(Mapping(), engine)
    site.shop.put(1...700)
    let runs = site.runs()
    for _ in 1...2 {
      let id = try await runs.startFull().id
      #expect(try await runs.startFull().id == id, "a second call joins it")
      #expect(try await runs.step())
      let run = try #require(try await runs.store.run(id))
      #expect(run.state == .done && run.read == 700 && run.total == 700 && run.exported == 700 && run.reason.isEmpty)
      #expect(try await site.catalog.messages().count == 701, "with the one shipping method")
      try await site.catalog.clearMessages()
    }
    #expect(try await !runs.step(), "nothing is left to do")
    await site.stop()
  }

  @Test("a SKU with a comma is found as another one is, and what a search does not show is asked for by its name")
  func commas() async throws {
    let site = try Site(Mapping(), .sqlite)
    let skus = [1: "A,B", 2: "C", 3: "B"]
    site.shop.put(1...3) { skus[Int($0)] ?? "" }
    let reader = site.intake().reader
    #expect(try await reader.present(["A,B", "C", "A"]) == ["A,B", "C"])
    let found = try await reader.products(["A,B", "C", "A"])
    #expect(found.keys.sorted() == ["A,B", "C"])
    #expect(try found["A,B"]?.get().id == 1)
    let named = site.shop.state.withLock { $0.requests.filter { $0.contains("/V1/products/") } }
    #expect(named.map { $0.split(separator: "/").last ?? "" } == ["A"])
    await site.stop()
  }

  @Test("a run goes on from its last batch in another replica, and sends every product", arguments: TestEngine.allCases)
  func resumed(engine: TestEngine) async throws {
    let site = try Site(Mapping(), engine)
    site.shop.put(1...6_000)
    let runs = site.runs()
    let id = try await runs.startFull().id
    site.shop.state.withLock { $0.pagesLeft = 18 }
    await #expect(throws: CommerceError.self) { try await runs.step() }
    let broken = try #require(try await runs.store.run(id))
    #expect(broken.read == 18 * 300 && broken.lastID == 18 * 300 && broken.total == 6_000)
    #expect(broken.reason.contains("behind id 5400") && broken.reason.hasSuffix("away"))
    // The outbox is full now, and nobody empties it.
    try await site.catalog.clearMessages()
    site.shop.state.withLock { state in
      state.pagesLeft = nil
      state.requests = []
    }
    let other = site.runs(try site.catalog.another())
    #expect(try await other.step())
    let done = try #require(try await runs.store.run(id))
    #expect(done.state == .done && done.read == 6_000 && done.exported == 6_000 && done.reason.isEmpty)
    #expect(site.shop.state.withLock { $0.requests.count(where: { $0.contains("entity_id") }) } == 2)
    #expect(try await site.catalog.messages().count == 600)
    await site.stop()
  }

  @Test("while a page is tried again the run says which, and why", arguments: TestEngine.allCases)
  func failingPage(engine: TestEngine) async throws {
    let site = try Site(Mapping(), engine)
    site.shop.put(1...700)
    let (reading, writing) = try pipe()
    defer {
      close(reading)
      close(writing)
    }
    site.shop.state.withLock { state in
      state.pagesLeft = 1
      state.gate = reading
    }
    let runs = site.runs()
    let id = try await runs.startFull().id
    let step = Task { try await runs.step() }
    while try await runs.store.run(id)?.reason.contains("the page of 300 behind id 300") != true {
      await site.group.loops[0].sleep(for: .milliseconds(1))
    }
    #expect(try await runs.store.run(id)?.reason.hasSuffix("away") == true)
    site.shop.state.withLock { state in
      state.pagesLeft = nil
      state.gate = nil
    }
    var byte: UInt8 = 1
    #expect(write(writing, &byte, 1) == 1)
    #expect(try await step.value)
    let run = try #require(try await runs.store.run(id))
    #expect(run.state == .done && run.read == 700 && run.reason.isEmpty)
    await site.stop()
  }

  @Test("a product that the shop can't show is passed over, and not taken for gone", arguments: TestEngine.allCases)
  func unreadableProduct(engine: TestEngine) async throws {
    let site = try Site(Mapping(), engine)
    site.shop.put(1...700)
    let runs = site.runs()
    _ = try await runs.startFull()
    #expect(try await runs.step())
    site.shop.state.withLock { $0.broken = [400] }
    for _ in 1...2 {
      try await site.catalog.clearMessages()
      let id = try await runs.startFull().id
      #expect(try await runs.step())
      let run = try #require(try await runs.store.run(id))
      #expect(
        run.state == .done && run.read == 699 && run.exported == 699 && run.deactivated == 0 && run.reason.isEmpty)
      let noted = try await site.catalog.database.read { try UnreadableItems(of: CatalogPolling.name).all($0) }
      #expect(noted.map(\.id) == [400])
    }
    await site.stop()
  }

  private func pipe() throws -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(Glibc.pipe(&ends) == 0)
    return (ends[0], ends[1])
  }

  @Test("a run that another replica has begun is left to it")
  func leased() async throws {
    let site = try Site()
    site.shop.put(1...3)
    let runs = site.runs()
    _ = try await runs.startFull()
    _ = try await site.catalog.database.write {
      try Lease.acquire($0, key: "catalog run", holder: "another", for: .seconds(60))
    }
    #expect(try await !runs.step())
    #expect(try await runs.store.current()?.read == 0)
    await site.stop()
  }

  @Test("no transaction has more than 5 000 products")
  func batches() async throws {
    let site = try Site()
    site.shop.put(1...5_200)
    let runs = site.runs()
    _ = try await runs.startFull()
    let emptying = Task {
      while !Task.isCancelled {
        try await site.catalog.database.write { try $0.execute("DELETE FROM outbox") }
        await site.group.loops[0].sleep(for: .milliseconds(10))
      }
    }
    #expect(try await runs.step())
    emptying.cancel()
    _ = try await emptying.value
    var batch = RunBatch(after: 0)
    #expect(batch.hasRoom(for: 5_000) && !batch.hasRoom(for: 5_001))
    batch.add(
      CatalogPage(products: [], issues: [], ids: Array(1...4_800), after: 0, last: 4_800, left: 400, askedAt: 0), [],
      ShopFacts(), [])
    #expect(batch.hasRoom(for: 200) && !batch.hasRoom(for: 300))
    await site.stop()
  }

  @Test(
    "what the shop does not have any more becomes inactive; what it only did not show stays",
    arguments: TestEngine.allCases)
  func gone(engine: TestEngine) async throws {
    let site = try Site(Mapping(), engine)
    site.shop.put(1...400)
    let runs = site.runs()
    _ = try await runs.startFull()
    #expect(try await runs.step())
    try await site.catalog.clearMessages()
    site.shop.state.withLock { state in
      for id: Int64 in [1, 150, 400] { state.products[id] = nil }
    }
    _ = try await runs.startFull()
    #expect(try await runs.step())
    let inactive = try await site.catalog.messages().filter { $0.hasSuffix("INACTIVE") }
    #expect(inactive == ["P-1 INACTIVE", "P-150 INACTIVE", "P-400 INACTIVE"])
    #expect(try await runs.store.last()?.deactivated == 3)
    await site.stop()
  }

  @Test("more than a fifth gone is left to the operator, with a list", arguments: TestEngine.allCases)
  func tooManyGone(engine: TestEngine) async throws {
    let site = try Site(Mapping(), engine)
    site.shop.put(1...200)
    let runs = site.runs()
    _ = try await runs.startFull()
    #expect(try await runs.step())
    site.shop.state.withLock { state in state.products = state.products.filter { $0.key <= 150 } }
    _ = try await runs.startFull()
    #expect(try await runs.step())
    let run = try #require(try await runs.store.last())
    #expect(run.state == .done && run.deactivated == 0 && run.reason.contains("50 of 200"))
    let held = try await site.catalog.database.read { try HeldProduct.page($0, after: "", limit: 100) }
    #expect(held.count == 50 && held[0].sku == "P-151" && held[0].productID == 151 && held[0].reason == .missing)
    // A third reading finds some of them again.
    site.shop.put(151...190)
    _ = try await runs.startFull()
    #expect(try await runs.step())
    #expect(try await runs.store.last()?.deactivated == 10)
    #expect(try await site.catalog.database.read { try HeldProduct.counts($0) } == (0, 0))
    await site.stop()
  }

  @Test("another shop's many products do not hide that all of ours are gone")
  func otherShop() async throws {
    let site = try Site()
    site.shop.put(1...100)
    let runs = site.runs()
    _ = try await runs.startFull()
    #expect(try await runs.step())
    site.shop.state.withLock { $0.products = [:] }
    site.shop.put(1_001...2_000)
    _ = try await runs.startFull()
    #expect(try await runs.step())
    let run = try #require(try await runs.store.last())
    #expect(run.deactivated == 0 && run.reason.contains("100 of 100"))
    await site.stop()
  }

  @Test("a reconciliation is due by its time, sends what has changed, and gives way to a full export")
  func reconciliation() async throws {
    let site = try Site()
    site.shop.put(1...5)
    let runs = site.runs()
    let store = runs.store
    #expect(try await store.startReconciliation(every: .seconds(60)) == nil, "a new store is due later")
    #expect(try await store.startReconciliation(every: .seconds(60)) == nil)
    let run = try #require(try await store.startReconciliation(every: .zero))
    #expect(run.kind == .reconciliation)
    #expect(try await store.startReconciliation(every: .zero) == nil, "one runs")
    let full = try await store.startFull()
    #expect(full.kind == .full && full.id > run.id)
    #expect(try await store.run(run.id)?.state == .replaced)
    #expect(try await runs.step())
    try await site.catalog.clearMessages()
    _ = try await store.startReconciliation(every: .zero)
    #expect(try await runs.step())
    #expect(try await site.catalog.messages().isEmpty)
    for _ in 1...(RunStore.kept + 5) {
      _ = try await store.startFull()
      #expect(try await runs.step())
      try await site.catalog.clearMessages()
    }
    let kept = try await site.catalog.database.read { connection in
      try connection.withStatement("SELECT count(*) FROM catalog_run") { try $0.step() ? $0.integer(0) : 0 }
    }
    #expect(kept == RunStore.kept)
    await site.stop()
  }

  @Test("products that can't be exported are counted and said, and keep no other from being exported")
  func issues() async throws {
    let site = try Site()
    site.shop.put(1...301) { id in id == 2 ? "STANDARD" : id == 301 ? String(repeating: "x", count: 1_025) : "P-\(id)" }
    let runs = site.runs()
    let id = try await runs.startFull().id
    #expect(try await runs.step())
    let run = try #require(try await runs.store.run(id))
    #expect(run.read == 301 && run.exported == 299 && run.failed == 2)
    let issues = try await runs.store.issues(of: id)
    #expect(issues.map(\.place) == [2, 301])
    #expect(issues[0].reason.contains("shipping method") && issues[1].reason.contains("1025 bytes"))
    await site.stop()
  }

  @Test("labels of choices are read once, and again for one that is new; names of views where several are mapped")
  func lookups() async throws {
    let site = try Site(
      try Mapping(parsing: "website base = EU\nattribute product color = colour"))
    site.shop.put(1...2)
    site.shop.state.withLock { state in
      state.views =
        #"[{"id":1,"code":"default","website_id":1,"is_active":1},{"id":2,"code":"german","website_id":1,"is_active":1}]"#
      state.names = ["default": [1: "One", 2: "Two"], "german": [1: "Eins", 2: "Two"]]
      state.attributes["color"] = #"{"options":[{"label":" ","value":""},{"label":"Blue","value":"12"}]}"#
      state.products[1] =
        #"{"id":1,"sku":"P-1","name":"Product 1","type_id":"configurable","custom_attributes":[{"attribute_code":"color","value":"12"}],"extension_attributes":{"configurable_product_links":[2,3,9]}}"#
      state.products[3] = #"{"id":3,"sku":"P-3"}"#
    }
    let intake = site.intake()
    var products = try [product(site.shop.state.withLock { $0.products[1] ?? "" })]
    products[0].attributes["color"] = ["12"]
    let entries = try await intake.entries(of: products, origin: .shop).entries
    let told = try sent(entries[0])
    #expect(told.name.map(\.value) == ["One", "Eins"])
    #expect(told.childrenSkus == ["P-2", "P-3"])
    #expect(told.customAttributes.map(\.value) == ["Blue"])
    let asked = site.shop.state.withLock { $0.requests.count }
    _ = try await intake.entries(of: products, origin: .shop)
    // Names in two views and the variants; neither set-up nor options.
    #expect(site.shop.state.withLock { $0.requests.count } == asked + 3)
    await site.stop()
  }
}
