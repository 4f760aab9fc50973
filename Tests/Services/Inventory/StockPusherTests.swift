import EventLoop
import HTTP
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("Pushing a partition", .timeLimit(.minutes(2)))
struct StockPusherTests {
  @Test(
    "what changed reaches the shop, with what the orders take, and is not due any more", arguments: TestEngine.allCases)
  func pushes(engine: TestEngine) async throws {
    let bench = try await PushBench(engine, PushedShop(["a", "b"]))
    bench.units.set(["b": [OpenUnits(website: "base", acknowledged: 3, unacknowledged: 0)]])
    try await bench.stock.apply(.full, at: 10, ["a=5", "b=2"])
    #expect(try await bench.push().allSatisfy { $0 == .done })
    #expect(bench.shop.quantity("a") == "5" && bench.shop.quantity("b") == "5")
    let status = try await bench.status()
    #expect(status.pending == 0 && status.failed == 0 && status.lastPushedAt > 0 && status.lastError.isEmpty)
    #expect(try await bench.claim().isEmpty)
    await bench.stop()
  }

  @Test("a SKU that the shop doesn't have is noted as refused, and the others go")
  func unknownSKU() async throws {
    let skus = PushBench.skus(3)
    let bench = try await PushBench(.sqlite, PushedShop(Array(skus[..<2])))
    try await bench.stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    #expect(try await bench.push() == [.done])
    #expect(skus.map { bench.shop.quantity($0) } == ["1", "1", nil])
    let status = try await bench.status()
    #expect(status.pending == 0 && status.failed == 1)
    await bench.stop()
  }

  @Test(
    "a SKU on which the shop fails each time doesn't keep the others from it for ever", arguments: TestEngine.allCases)
  func failingSKU(engine: TestEngine) async throws {
    let skus = PushBench.skus(30)
    let broken = Lock<Set<String>>([skus[3]])
    let shop = try PushedShop(skus) { request in
      guard request.method == "POST", !broken.withLock({ $0 }).isDisjoint(with: request.skus) else { return nil }
      return .json(status: 500, #"{"message":"Report ID: webapi-\#(request.skus.count)"}"#)
    }
    shop.loses { sku in broken.withLock { $0 }.contains(sku) }
    let bench = try await PushBench(engine, shop)
    try await bench.stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    for _ in 1...3 {
      guard case .again = try await bench.push().first else { throw TestFailure("it went on") }
      #expect(try await bench.status().lastError.contains(#"SKUs, from SKU "\#(skus.sorted()[0])""#))
    }
    #expect(try await bench.push() == [.done])
    var status = try await bench.status()
    #expect(status.pending == 0 && status.failed == 1 && status.lastError.isEmpty)
    #expect(status.refused.contains(skus[3]) && status.refused.contains("answers 500"))
    #expect(skus.filter { bench.shop.quantity($0) != "1" } == [skus[3]])
    // As it is tried again each hour.
    broken.withLock { $0 = [] }
    #expect(try await !bench.stock.database.write { try PushQueue.retryFailed($0, limit: 100) })
    #expect(try await bench.push() == [.done])
    status = try await bench.status()
    #expect(status.failed == 0 && status.pending == 0 && bench.shop.quantity(skus[3]) == "1")
    await bench.stop()
  }

  @Test("while the shop takes nothing, nothing is marked as refused")
  func brokenShop() async throws {
    let skus = PushBench.skus(30)
    let isBroken = Lock(true)
    let shop = try PushedShop(skus) { request in
      request.method == "POST" && isBroken.withLock { $0 } ? .json(status: 500, #"{"message":"no"}"#) : nil
    }
    shop.loses { _ in isBroken.withLock { $0 } }
    let bench = try await PushBench(.sqlite, shop)
    try await bench.stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    for _ in 1...6 { try await bench.push() }
    var status = try await bench.status()
    #expect(status.failed == 0 && status.pending == 30 && status.lastError.contains("answers 500"))
    isBroken.withLock { $0 = false }
    #expect(try await bench.push() == [.done])
    status = try await bench.status()
    #expect(status.failed == 0 && status.pending == 0 && status.lastError.isEmpty)
    await bench.stop()
  }

  @Test("nothing is sent while the units of open orders are not known")
  func noUnits() async throws {
    let bench = try await PushBench(.sqlite, PushedShop(["a"]))
    try await bench.stock.apply(.full, at: 10, ["a=5"])
    bench.units.set(nil)
    let outcome = try #require(try await bench.push().first)
    guard case .again(_, let reason) = outcome else { throw TestFailure("\(outcome)") }
    #expect(reason.hasPrefix("open units are not to be had"))
    #expect(try await bench.status().lastError == reason)
    #expect(bench.shop.writes.isEmpty)
    bench.units.set([:])
    #expect(try await bench.push() == [.done])
    #expect(bench.shop.quantity("a") == "5")
    #expect(try await bench.status().lastError.isEmpty)
    await bench.stop()
  }

  @Test("a replica whose lease was taken over sends nothing more")
  func leaseLost() async throws {
    let bench = try await PushBench(.sqlite, PushedShop(["a"]))
    try await bench.stock.apply(.full, at: 10, ["a=5"])
    let item = try #require(try await bench.claim().first)
    try await bench.stock.database.write { connection in
      let later = try connection.now() + 120 * 1_000_000_000
      #expect(try PushQueue.work.claim(connection, limit: 9, holder: "other", for: .seconds(60), now: later).count == 1)
    }
    guard case .again = await bench.pusher.push(item) else { throw TestFailure("it went on") }
    #expect(bench.shop.writes.isEmpty)
    await bench.stop()
  }

  @Test(
    "what goes elsewhere by this replica's mapping file, or nowhere, is left to a replica with the new one",
    arguments: TestEngine.allCases, [nil, PushTarget(website: "base", source: "rome")])
  func otherMapping(engine: TestEngine, target: PushTarget?) async throws {
    let bench = try await PushBench(engine, PushedShop(["a"]))
    let old = bench.pusher(with: target.map { ["EU-WEB": $0] } ?? [:])
    try await bench.stock.apply(.full, at: 10, ["a=5"])
    for _ in 1...3 {
      let outcome = try #require(try await bench.push(old).first)
      guard case .again(let pause, let reason) = outcome else { throw TestFailure("\(outcome)") }
      #expect(pause <= StockPusher.problemPause && reason.contains("mapping file"))
    }
    #expect(bench.shop.writes.isEmpty)
    #expect(try await bench.status().pending == 1)
    #expect(try await bench.status().lastError.contains("mapping file"))
    #expect(try await bench.push() == [.done])
    #expect(bench.shop.quantity("a") == "5")
    #expect(try await bench.status().lastError.isEmpty)
    await bench.stop()
  }

  @Test("a partition that has nothing left to be pushed has no error either")
  func nothingLeft() async throws {
    let bench = try await PushBench(.sqlite, PushedShop(["a"]))
    let key = PushKey("EU-WEB", StockPartition.of("a"))
    try await bench.stock.database.write { connection in
      try PushQueue.work.add(connection, key.text)
      try PushQueue.note("as it was", key, connection, at: 1)
    }
    #expect(try await bench.push() == [.done])
    #expect(try await bench.status().lastError.isEmpty)
    await bench.stop()
  }

  @Test("what nobody's mapping file names any more is not pushed", arguments: TestEngine.allCases)
  func noTarget(engine: TestEngine) async throws {
    let bench = try await PushBench(engine, PushedShop(["a"]))
    try await bench.stock.apply(.full, at: 10, ["a=5"])
    try await bench.stock.database.write { try PushQueue.setTargets([:], $0) }
    #expect(try await bench.push().allSatisfy { $0 == .done })
    #expect(bench.shop.writes.isEmpty)
    await bench.stop()
  }

  @Test("a mapping file that is read makes due what waits", arguments: TestEngine.allCases)
  func waiting(engine: TestEngine) async throws {
    let bench = try await PushBench(engine, PushedShop(["a"]))
    try await bench.stock.apply(.full, at: 10, ["a=5"])
    for item in try await bench.claim() {
      try await bench.stock.database.write {
        try PushQueue.work.retry($0, item, after: StockPusher.problemPause, reason: "as the test says")
      }
    }
    #expect(try await bench.push().isEmpty)
    try await bench.stock.database.write { try PushQueue.setTargets(PushBench.targets, $0) }
    #expect(try await bench.push() == [.done])
    #expect(bench.shop.quantity("a") == "5")
    await bench.stop()
  }
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
