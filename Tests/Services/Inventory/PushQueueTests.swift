import EventLoop
import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("Stock on its way to the shop")
struct PushQueueTests {
  private static func withTarget(
    _ engine: TestEngine, _ body: (TemporaryStock) async throws -> Void
  ) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.database.write { try PushQueue.setTargets(["EU-WEB": PushTarget(website: "base")], $0) }
    try await body(stock)
    await stock.database.close()
  }

  private static func due(_ stock: TemporaryStock, _ sku: String) async throws -> DueStock? {
    try await stock.database.read { connection in
      try PushQueue.due(PushKey("EU-WEB", StockPartition.of(sku)), limit: 100, connection).first { $0.sku == sku }
    }
  }

  @Test("what changes is due, what does not is not, and what has no target never", arguments: TestEngine.allCases)
  func marked(engine: TestEngine) async throws {
    try await Self.withTarget(engine) { stock in
      #expect(try await stock.apply(.full, at: 10, ["a=1", "b=2"]).isToPush)
      #expect(try await !stock.apply(.full, "US", at: 10, ["a=1"]).isToPush)
      let first = try #require(try await Self.due(stock, "a"))
      #expect(first.quantity == 1)
      try await stock.database.write { try PushQueue.settle([first], PushKey("EU-WEB", StockPartition.of("a")), $0) }
      #expect(try await Self.due(stock, "a") == nil)
      #expect(try await !stock.apply(.full, at: 20, ["a=1"]).isToPush)
      #expect(try await Self.due(stock, "a") == nil)
      try await stock.apply(.nonzero, at: 30, ["b=2"])
      #expect(try await Self.due(stock, "a")?.quantity == 0)
      let statuses = try await stock.database.read { try PushQueue.statuses($0) }
      #expect(statuses.map(\.aggregateId) == ["EU-WEB", "US"])
      #expect(statuses.map(\.pending) == [2, 0] && statuses.map(\.skus) == [2, 1])
    }
  }

  @Test("what changes while it is pushed stays due", arguments: TestEngine.allCases)
  func changesMeanwhile(engine: TestEngine) async throws {
    try await Self.withTarget(engine) { stock in
      let key = PushKey("EU-WEB", StockPartition.of("a"))
      try await stock.apply(.delta, at: 10, ["a=1"])
      let taken = try #require(try await Self.due(stock, "a"))
      try await stock.apply(.delta, at: 20, ["a=2"])
      try await stock.database.write { try PushQueue.settle([taken], key, $0) }
      let again = try #require(try await Self.due(stock, "a"))
      #expect(again.quantity == 2 && again.version > taken.version)
      try await stock.database.write { try PushQueue.fail([(again, "no")], key, $0) }
      #expect(try await Self.due(stock, "a") == nil)
      #expect(try await stock.database.read { try PushQueue.statuses($0) }.map(\.failed) == [1])
      #expect(try await !stock.database.write { try PushQueue.retryFailed($0, limit: 10) })
      #expect(try await Self.due(stock, "a")?.quantity == 2)
    }
  }

  /// A circle would cost the server a second to notice, and one of the two its work.
  @Test("who marks a SKU and who settles it on another replica don't wait for each other in a circle")
  func lockOrder() async throws {
    try await Self.withTarget(.postgresql) { stock in
      let other = try TemporaryStock.another(stock).database
      try await stock.apply(.delta, at: 10, ["a=1"])
      let taken = try #require(try await Self.due(stock, "a"))
      let item = try #require(
        try await other.write { try PushQueue.work.claim($0, limit: 1, holder: "test", for: .seconds(60)) }.first)
      let runs = Lock(0)
      let gate = Gate()
      let settling = try other.enqueueWrite(isolation: .readCommitted) { connection in
        runs.withLock { $0 += 1 }
        #expect(try PushQueue.work.prolong(connection, item, for: .seconds(60)))
        gate.pass()
        try PushQueue.settle([taken], PushKey("EU-WEB", StockPartition.of("a")), connection)
      }
      await gate.waitUntilEntered()
      let marking = try stock.database.enqueueWrite(isolation: .readCommitted) { connection in
        runs.withLock { $0 += 1 }
        try PushQueue.mark(["a"], of: "EU-WEB", connection, at: 20)
      }
      try await stock.database.waitUntilOneIsBlocked()
      gate.open()
      try await settling.value()
      try await marking.value()
      #expect(runs.withLock { $0 } == 2)
      #expect(try await Self.due(stock, "a") != nil)
      await other.close()
    }
  }

  @Test(
    "of an open bulk job, what it was sent with is known, and what came since stays", arguments: TestEngine.allCases)
  func bulk(engine: TestEngine) async throws {
    try await Self.withTarget(engine) { stock in
      let key = PushKey("EU-WEB", StockPartition.of("a"))
      try await stock.apply(.delta, at: 10, ["a=1"])
      let taken = try #require(try await Self.due(stock, "a"))
      let bulk = OpenBulk(uuid: "u-1", openedAt: 5)
      try await stock.database.write { try PushQueue.open(bulk, [taken], key, $0) }
      try await stock.apply(.delta, at: 20, ["a=2"])
      try await stock.database.write { connection in
        #expect(try PushQueue.bulk(key, connection) == bulk)
        let sent = try PushQueue.sent(key, connection)
        #expect(sent.map(\.version) == [taken.version])
        #expect(try PushQueue.due(key, limit: 9, connection).allSatisfy { $0.version > taken.version })
        try PushQueue.settle(sent, key, connection)
        try PushQueue.closeBulk(key, connection)
        #expect(try PushQueue.bulk(key, connection) == nil)
        #expect(try PushQueue.sent(key, connection).isEmpty)
      }
      #expect(try await Self.due(stock, "a")?.quantity == 2)
    }
  }

  @Test(
    "an aggregate that gets a target, or another one, is pushed whole; one that loses it is not",
    arguments: TestEngine.allCases)
  func targets(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, (0..<2_500).map { TestRow("s\($0)", 1) })
    func set(_ targets: [String: PushTarget]) async throws -> Int64 {
      try await stock.database.write { try PushQueue.setTargets(targets, $0) }
      let marking = MarkAll(database: stock.database) {}
      let items = try await stock.database.write {
        try PushQueue.all.claim($0, limit: 10, holder: "test", for: .seconds(60))
      }
      for item in items {
        #expect(try await marking.mark(item) == .done)
        try await stock.database.write { try PushQueue.all.finish($0, item) }
      }
      return try await stock.database.read { try PushQueue.statuses($0) }[0].pending
    }
    #expect(try await set([:]) == 0)
    #expect(try await set(["EU-WEB": PushTarget(website: "base")]) == 2_500)
    try await stock.database.write { connection in
      for part in 0..<StockPartition.count {
        let key = PushKey("EU-WEB", part)
        try PushQueue.settle(try PushQueue.due(key, limit: 10_000, connection), key, connection)
      }
    }
    #expect(try await set(["EU-WEB": PushTarget(website: "base")]) == 0)
    #expect(try await set(["EU-WEB": PushTarget(website: "base", source: "berlin")]) == 2_500)
    #expect(try await set([:]) == 0)
    await stock.database.close()
  }

  @Test("why a partition does not go is told until that partition goes", arguments: TestEngine.allCases)
  func errors(engine: TestEngine) async throws {
    try await Self.withTarget(engine) { stock in
      let (first, second) = (PushKey("EU-WEB", 1), PushKey("EU-WEB", 2))
      func status() async throws -> PushStatus {
        try #require(try await stock.database.read { try PushQueue.statuses($0) }.first)
      }
      try await stock.database.write { try PushQueue.note("no", first, $0, at: 1) }
      try await stock.database.write { try PushQueue.notePushed(second, $0, at: 2) }
      #expect(try await status().lastError == "no")
      #expect(try await status().lastPushedAt == 2)
      try await stock.database.write { try PushQueue.note("later", second, $0, at: 3) }
      #expect(try await status().lastError == "later")
      try await stock.database.write { try PushQueue.notePushed(second, $0, at: 4) }
      #expect(try await status().lastError == "no")
      try await stock.database.write { try PushQueue.note("still", first, $0, at: 5) }
      #expect(try await status().lastError == "still")
      try await stock.database.write { try PushQueue.notePushed(first, $0, at: 6) }
      #expect(try await status().lastError == "")
      // Of what goes nowhere nothing is kept.
      try await stock.database.write { try PushQueue.note("no", PushKey("US", 1), $0, at: 7) }
      try await stock.database.write { try PushQueue.note("no", first, $0, at: 7) }
      try await stock.database.write { try PushQueue.setTargets([:], $0) }
      #expect(try await stock.database.read { try PushQueue.statuses($0) } == [])
    }
  }

  @Test(
    "the shop's switch follows the aggregates where they agree, and counts where they don't",
    arguments: TestEngine.allCases)
  func unlimited(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let targets = ["EU": PushTarget(website: "base"), "US": PushTarget(website: "us", source: "us")]
    try await stock.database.write { try PushQueue.setTargets(targets, $0) }
    func changes() async throws -> [String: Bool] {
      try await stock.database.read { try ManagedStock.changes(of: ["a", "b", "é\""], $0) }
    }
    try await stock.apply(.full, "EU", at: 10, ["a=0!", "b=0!", "é\"=1!"])
    try await stock.apply(.full, "US", at: 10, ["a=0!", "b=5"])
    try await stock.apply(.full, "ELSEWHERE", at: 10, ["a=5"])
    #expect(try await changes() == ["a": false, "é\"": false])
    #expect(try await stock.database.read { try ManagedStock.conflicts(limit: 5, $0) } == ["b"])
    let told = PushedStock(
      row: DueStock(sku: "a", version: 1, quantity: 0, unlimited: true), quantity: 0, isManaged: false)
    #expect(try await stock.database.write { try ManagedStock.note([told], $0) } == [told.row])
    #expect(try await changes() == ["é\"": false])
    try await stock.apply(.delta, "US", at: 20, ["a=3"])
    #expect(try await changes() == ["a": true, "é\"": false])
    // Told while it changed: it has to be told again.
    #expect(try await stock.database.write { try ManagedStock.note([told], $0) } == [])
    await stock.database.close()
  }
}
