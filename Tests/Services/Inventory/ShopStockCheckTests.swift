import Commerce
import EventLoop
import HTTP
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("Stock that somebody changes in the shop", .timeLimit(.minutes(2)))
struct ShopStockCheckTests {
  private static let units = ["b": [OpenUnits(website: "base", acknowledged: 3, unacknowledged: 0)]]

  /// Two SKUs that were pushed: `a` as 5, and `b` as 2 and 3 of open orders.
  private static func pushed(_ engine: TestEngine = .sqlite) async throws -> PushBench {
    let bench = try await PushBench(engine, PushedShop(["a", "b", "c"]))
    bench.units.set(units)
    try await bench.stock.apply(.full, at: 10, ["a=5", "b=2"])
    try await bench.push()
    return bench
  }

  @Test(
    "what differs is told once, and what the OMS says goes again", arguments: TestEngine.allCases, ["99", "0", nil])
  func found(engine: TestEngine, changed: String?) async throws {
    let bench = try await Self.pushed(engine)
    let check = try CheckBench(bench)
    #expect(try await check.round().isEmpty)
    bench.shop.change("a", changed)
    let found = ChangedStock(sku: "a", told: "5", found: changed ?? "nothing")
    #expect(try await check.round() == [ChangedStock.Summary(aggregateId: "EU-WEB", count: 1, examples: [found])])
    #expect(try await bench.status().pending == 1)
    // It is due: no further look counts it.
    #expect(try await check.round().count == 1)
    try await bench.push()
    #expect(bench.shop.quantity("a") == "5" && bench.shop.quantity("b") == "5")
    #expect(try await check.round().first?.count == 1)
    #expect(try await bench.status().pending == 0)
    await bench.stop()
  }

  @Test("what was never pushed, or is due or refused, is not looked at", arguments: TestEngine.allCases)
  func notTold(engine: TestEngine) async throws {
    let bench = try await Self.pushed(engine)
    let check = try CheckBench(bench)
    bench.shop.change("a", "7")
    bench.shop.change("c", "9")
    try await bench.stock.apply(.delta, at: 20, ["a=6", "d=1"])
    #expect(try await check.round().isEmpty)
    try await bench.push()
    #expect(try await bench.status().failed == 1)
    #expect(try await check.round().isEmpty)
    await bench.stop()
  }

  @Test("what the shop ships itself is no change: what would be sent now is the same", arguments: TestEngine.allCases)
  func shipped(engine: TestEngine) async throws {
    let bench = try await Self.pushed(engine)
    let check = try CheckBench(bench)
    bench.shop.change("b", "4")
    bench.units.set(["b": [OpenUnits(website: "base", acknowledged: 2, unacknowledged: 0)]])
    #expect(try await check.round().isEmpty)
    #expect(try await bench.status().pending == 0)
    await bench.stop()
  }

  @Test("what was put right, pushed or marked between the two looks is no change", arguments: Meanwhile.allCases)
  func meanwhile(what: Meanwhile) async throws {
    let bench = try await Self.pushed()
    let check = try CheckBench(bench) {
      switch what {
      case .shipmentNoted: bench.units.set(["b": [OpenUnits(website: "base", acknowledged: 1, unacknowledged: 0)]])
      case .restored: bench.shop.change("b", "5")
      case .marked:
        try await bench.stock.database.write { _ = try PushQueue.mark(["b"], of: "EU-WEB", $0, at: 1) }
      case .pushed:
        try await bench.stock.database.write { _ = try PushQueue.mark(["b"], of: "EU-WEB", $0, at: 1) }
        try await bench.push()
        bench.shop.change("b", "3")
      }
    }
    bench.shop.change("b", "3")
    #expect(try await check.round().isEmpty)
    await bench.stop()
  }

  enum Meanwhile: CaseIterable { case shipmentNoted, restored, marked, pushed }

  @Test("of replicas one looks, once an interval", arguments: TestEngine.allCases)
  func replicas(engine: TestEngine) async throws {
    let bench = try await Self.pushed(engine)
    let (one, other) = (try CheckBench(bench), try CheckBench(bench))
    #expect(try await one.check.round())
    #expect(try await !other.check.round())
    #expect(try await one.check.round())
    await bench.stop()
  }

  @Test("a round makes so many requests at most; the next one goes on behind it")
  func limit() async throws {
    let skus = PushBench.skus(ShopProducts.perRequest + 1)
    let bench = try await PushBench(.sqlite, PushedShop(skus))
    try await bench.stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    try await bench.push()
    let check = try CheckBench(bench, requests: 1)
    let last = try #require(skus.max { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    bench.shop.change(last, "7")
    #expect(try await check.round().isEmpty)
    #expect(try await check.round().first?.examples.map(\.sku) == [last])
    await bench.stop()
  }

  @Test("while the units of open orders are not known nothing is told, but that; another replica may look at once")
  func noUnits() async throws {
    let bench = try await Self.pushed()
    let (check, other) = (try CheckBench(bench), try CheckBench(bench))
    bench.shop.change("a", "7")
    bench.units.set(nil)
    #expect(await !check.check.attempt())
    #expect(try #require(check.check.failure).contains("sales is away"))
    #expect(try await bench.status().pending == 0)
    bench.units.set([:])
    #expect(try await other.round().count == 1)
    #expect(await !check.check.attempt())
    #expect(check.check.failure == nil)
    await bench.stop()
  }

  @Test("what is sent as a bulk job is known to be told, too")
  func bulk() async throws {
    let skus = PushBench.skus(PushLimits.bulkFrom)
    let bench = try await PushBench(.sqlite, PushedShop(skus))
    let check = try CheckBench(bench)
    try await bench.stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    try await bench.push()
    #expect(try await check.round().isEmpty)
    bench.shop.run(1)
    try await bench.push()
    #expect(try await check.round().isEmpty)
    bench.shop.change(skus[0], "7")
    #expect(try await check.round().first?.count == 1)
    await bench.stop()
  }

  @Test(
    "without sources only more than was told is somebody's: checkouts take, also those that nobody has paid",
    arguments: [("6", true), ("5", false), ("3", false), ("4", false)])
  func withoutSources(shown: String, isOdd: Bool) async throws {
    let shop = try ScriptedShop { request in
      request.route == "V1/stockItems/a" ? .json(#"{"qty":\#(shown),"is_in_stock":true}"#) : .json(status: 404, "{}")
    }
    let units = TestUnits()
    units.set(["a": [OpenUnits(website: "base", acknowledged: 0, unacknowledged: 2)]])
    let told = ["a", "gone"].map { sku in
      ToldStock(
        row: DueStock(sku: sku, version: 1, quantity: 5, unlimited: false), quantity: 5, isInStock: true)
    }
    let odd = try await StockComparison(client: shop.client, units: units).odd(told, .stockItem)
    #expect(odd.map(\.change) == (isOdd ? [ChangedStock(sku: "a", told: "5", found: shown)] : []))
    await shop.stop()
  }

  @Test("the doctor tells how many, some of them, and why it can't be looked")
  func doctor() {
    let change = ChangedStock(sku: "a", told: "5", found: "99")
    let findings = InventoryCapabilities.findings(
      [.init(aggregateId: "EU-WEB", count: 7, examples: [change])], failure: "no route")
    #expect(findings.map(\.level) == [.warning, .warning])
    #expect(findings[0].message.contains("stock of 7 SKUs"))
    #expect(findings[0].message.contains("a (99 in place of 5); and more"))
    #expect(findings.allSatisfy { $0.check == "stock-changed-in-shop" && !$0.remedy.isEmpty })
    #expect(InventoryCapabilities.findings([], failure: nil).map(\.level) == [.ok])
  }

  @Test("what was found is kept for a week", arguments: TestEngine.allCases)
  func retention(engine: TestEngine) async throws {
    let bench = try await Self.pushed(engine)
    try await bench.stock.database.write { connection in
      let change = ChangedStock(sku: "a", told: "5", found: "9")
      try ChangedStock.note([change], of: "EU-WEB", connection, at: 10)
      #expect(try ChangedStock.removeOld(connection, now: ChangedStock.retention + 10) == 0)
      #expect(try ChangedStock.removeOld(connection, now: ChangedStock.retention + 11) == 1)
    }
    await bench.stop()
  }
}

/// A replica that looks.
private final class CheckBench: Sendable {
  let check: ShopStockCheck
  private let bench: PushBench
  private let group: EventLoopGroup

  /// - Parameter meanwhile: what happens after the first look has found something.
  init(
    _ bench: PushBench, requests: Int = 4_000, meanwhile: (@Sendable () async throws -> Void)? = nil
  ) throws {
    self.bench = bench
    group = try EventLoopGroup(loops: 1)
    var options = ShopStockCheck.Options()
    options.pause = .milliseconds(1)
    options.requests = requests
    check = ShopStockCheck(
      database: bench.stock.database, targets: PushBench.targets, inventory: ShopInventoryReader(bench.shop.client),
      comparison: StockComparison(client: bench.shop.client, units: HookedUnits(bench.units, meanwhile)),
      options: options, loop: group.next()
    ) {}
  }

  deinit { group.stop() }

  func round() async throws -> [ChangedStock.Summary] {
    #expect(try await check.round())
    return try await bench.stock.database.read { try ChangedStock.summaries(since: 0, examples: 5, $0) }
  }
}

/// Units, and something that happens after they are asked for the first time.
private final class HookedUnits: OpenUnitsSource {
  private let units: TestUnits
  private let hook: Lock<(@Sendable () async throws -> Void)?>

  init(_ units: TestUnits, _ hook: (@Sendable () async throws -> Void)?) {
    self.units = units
    self.hook = Lock(hook)
  }

  func openUnits(of skus: [String]) async throws -> [String: [OpenUnits]] {
    let found = try await units.openUnits(of: skus)
    let once = hook.withLock { hook in
      defer { hook = nil }
      return hook
    }
    try await once?()
    return found
  }
}
