import EventLoop
import Messages
import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("The history of stock")
struct StockHistoryTests {
  private static func changes(
    _ stock: TemporaryStock, _ sku: String, ahead: Int64 = 0
  ) async throws -> [String] {
    let now = WallClock.nanoseconds() + ahead
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

  @Test("a message that ends a NONZERO makes two changes of what was left out", arguments: TestEngine.allCases)
  func twoChanges(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["a=1", "b=2"])
    for rows: [TestRow] in [["a=1", "b=2"], ["c=3"]] { try await stock.apply(.nonzero, at: 20, rows) }
    try await stock.apply(.delta, at: 19, ["d=4"])
    try await stock.apply(.full, at: 30, ["d=4"])
    #expect(try await Self.changes(stock, "d") == ["0@20→4@30 FULL", "4@19→0@20 NONZERO zeroed"])
    await stock.database.close()
  }

  @Test("ending an idle NONZERO is a change of when it is ended, not of when it was looked for")
  func idle() async throws {
    let stock = try TemporaryStock()
    for rows: [TestRow] in [["a=1"], ["b=2"]] { try await stock.apply(.nonzero, at: 20, rows) }
    try await stock.apply(.delta, at: 19, ["c=3"])
    var store = stock.store
    let times = Lock(WallClock.nanoseconds() + NonzeroRun.idleTime)
    store.clock = {
      times.withLock { time in
        time += 1
        return time
      }
    }
    // Between looking and ending.
    let shared = store
    let journal = BusyJournal { _ = try await shared.enqueue(snapshot(.delta, at: 19, ["c=4"])).value() }
    await NonzeroCloser(store: store, journal: journal) {}.round()
    #expect(
      try await Self.changes(stock, "c", ahead: StockHistory.day) == ["4@19→0@20 NONZERO zeroed", "3@19→4@19 DELTA"])
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
    let stored = try await stock.database.read {
      try stock.store.storedStock(of: message.rows, in: message.aggregateId, $0)
    }
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
    for (aggregate, days) in [("EU-WEB", Int64(61)), ("EU-WEB", 59), ("US", 62)] {
      let entries = (0..<700).map { number in
        StockHistory.Entry(
          sku: "s\(number)", stock: StoredStock(quantity: 1, unlimited: false, createdOn: 1),
          previous: StoredStock(quantity: 0, unlimited: false, createdOn: 1), at: now - days * StockHistory.day)
      }
      try await stock.database.write { connection in
        try StockHistory.add(entries, aggregateId: aggregate, mode: .full, zeroed: false, connection)
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

/// Something comes while it is looked into.
private struct BusyJournal: StockJournal {
  let comes: @Sendable () async throws -> Void

  func messages(
    of aggregateId: String, before: Int64, limit: Int, token: String
  ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) { ([], "") }
  func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage { .init() }
  func failed(
    of aggregateId: String, since: Int64, token: String
  ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) { ([], "") }

  func hasWaiting(of aggregateId: String) async throws -> Bool {
    try await comes()
    return false
  }
}
