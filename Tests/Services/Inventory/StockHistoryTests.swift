import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("The history of stock")
struct StockHistoryTests {
  private static func changes(_ stock: TemporaryStock, _ sku: String) async throws -> [String] {
    let now = WallClock.nanoseconds()
    return try await stock.database.read { connection in
      try StockHistory.changes(
        aggregateId: "EU-WEB", sku: sku, before: .max, limit: 100, now: now, connection
      ).map {
        "\($0.previous.quantity)\($0.previous.unlimited ? "!" : "")@\($0.previous.createdOn)→"
          + "\($0.quantity)\($0.unlimited ? "!" : "")@\($0.createdOn) \($0.mode.rawValue)\($0.zeroed ? " zeroed" : "")"
      }
    }
  }

  @Test("a row wherever a value changes, and nowhere else", arguments: TestEngine.allCases)
  func changes(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["a=1", "b=2", "c=3"])
    try await stock.apply(.full, at: 20, ["a=1", "b=5", "c=3"])
    try await stock.apply(.delta, at: 15, ["b=9"])
    try await stock.apply(.delta, at: 30, ["a=1!", "b=6", "b=7"])
    try await stock.apply(.nonzero, at: 40, ["b=7"])
    try await stock.apply(.nonzero, at: 50, ["b=7"])
    #expect(try await Self.changes(stock, "a") == ["1@20→1!@30 DELTA"])
    #expect(try await Self.changes(stock, "b") == ["5@20→7@30 DELTA", "2@10→5@20 FULL"])
    #expect(try await Self.changes(stock, "c") == ["3@20→0@40 NONZERO zeroed"])
    await stock.database.close()
  }

  @Test(
    "what was before is found for neighbours and for SKUs far between, whatever is in their names",
    arguments: TestEngine.allCases)
  func sparse(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let skus = (0..<2_000).map { "s\"\\é \(10_000 + $0)" }
    try await stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    let some = stride(from: 0, to: 2_000, by: 20).map { skus[$0] } + ["zzz"]
    let message = try snapshot(.delta, at: 20, some.map { TestRow($0, 2) })
    let stored = try await stock.database.read { try stock.store.storedStock(of: message, $0) }
    #expect(stored == some.map { $0 == "zzz" ? nil : StoredStock(quantity: 1, unlimited: false, createdOn: 10) })
    try await stock.apply(.delta, at: 20, some.map { TestRow($0, 2) })
    #expect(try await Self.changes(stock, skus[1_980]) == ["1@10→2@20 DELTA"])
    #expect(try await Self.changes(stock, skus[1]) == [])
    await stock.database.close()
  }

  @Test("what is older than 60 days goes, some at a time", arguments: TestEngine.allCases)
  func retention(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let now = WallClock.nanoseconds()
    let entries = (0..<700).map { number in
      StockHistory.Entry(
        sku: "s\(number)", quantity: 1, unlimited: false,
        previous: StoredStock(quantity: 0, unlimited: false, createdOn: 1))
    }
    for (aggregate, days) in [("EU-WEB", Int64(61)), ("EU-WEB", 59), ("US", 62)] {
      try await stock.database.write { connection in
        try StockHistory.add(
          entries, aggregateId: aggregate, mode: .full, zeroed: false, createdOn: CreatedOn(nanoseconds: 1),
          at: now - days * StockHistory.day, connection)
      }
    }
    var rounds: [Int] = []
    repeat {
      rounds.append(try await stock.database.write { try StockHistory.removeOld($0, now: now) })
    } while rounds.last != 0
    #expect(rounds == [500, 500, 400, 0])
    #expect(try await Self.changes(stock, "s7") == ["0@1→1@1 FULL"])
    await stock.database.close()
  }
}
