import EventLoop
import Storage
import TestSupport
import Testing

@testable import Inventory

/// DELTAs that wait together are applied together: as if it had been one after the other.
@Suite("DELTAs together")
struct DeltasTogetherTests {
  private static let target = ["EU": PushTarget(website: "base")]

  /// Hands all of them over while the writer is held.
  private static func together(
    _ messages: [StockSnapshot], _ store: StockStore
  ) async throws -> [SnapshotOutcome] {
    let gate = Gate()
    let holding = try store.database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let pending = try messages.map { try store.enqueue($0) }
    gate.open()
    try await holding.value()
    var outcomes: [SnapshotOutcome] = []
    for each in pending { outcomes.append(try await each.value()) }
    return outcomes
  }

  private static func oneByOne(_ messages: [StockSnapshot], _ store: StockStore) async throws -> [SnapshotOutcome] {
    var outcomes: [SnapshotOutcome] = []
    for each in messages { outcomes.append(try await store.enqueue(each).value()) }
    return outcomes
  }

  /// What there is of an aggregate: its stock, each SKU's history, what the shop has to be told and what waits for the operator. In
  /// bytes, as two SKUs may be the same text.
  private static func contents(_ stock: TemporaryStock, _ aggregateId: String) async throws -> [[UInt8]] {
    let now = WallClock.nanoseconds() + StockHistory.day
    let lines =
      try await stock.contents(aggregateId)
      + stock.database.read { connection in
        let history = try skus.flatMap { sku in
          try StockHistory.changes(
            aggregateId: aggregateId, sku: sku, before: .max, limit: 1_000, now: now, connection
          ).map { "\(sku): \($0.previous) → \($0.quantity) \($0.unlimited) \($0.createdOn) \($0.mode) \($0.zeroed)" }
        }
        let due = try (0..<StockPartition.count).flatMap { part in
          try PushQueue.due(PushKey(aggregateId, part), limit: 100, connection).map { "due: \($0.sku)=\($0.quantity)" }
        }
        return try history + due.sorted() + marks(aggregateId, connection) + held(aggregateId, connection)
      }
    return lines.map { Array($0.utf8) }
  }

  private static func marks(_ aggregateId: String, _ connection: Connection) throws -> [String] {
    try connection.withStatement(
      "SELECT sku, by_nonzero FROM \(StockSchema.table) WHERE aggregate_id = ?1 ORDER BY sku"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      var marks: [String] = []
      while try statement.step() { marks.append("\(statement.text(0)) by NONZERO: \(statement.bool(1))") }
      return marks
    }
  }

  private static func held(_ aggregateId: String, _ connection: Connection) throws -> [String] {
    try HeldSnapshots.page(after: 0, limit: 1_000, connection).filter {
      $0.aggregateId.utf8.elementsEqual(aggregateId.utf8)
    }
    .map { "held: \($0.mode) \($0.createdOn) \($0.reason) \($0.skus)" }
  }

  private static let aggregates = ["EU", "K\u{f6}ln", "Ko\u{308}ln"]
  /// "é" is the same text twice for Unicode, but in other bytes: two SKUs.
  private static let skus = ["a", "b", "c", "d", "\u{e9}", "e\u{301}"]

  private static func message(_ random: inout SeededGenerator) throws -> StockSnapshot {
    let mode = [.delta, .delta, .delta, .delta, .full, .nonzero].randomElement(using: &random) ?? SnapshotMode.delta
    let isFuture = Int.random(in: 0..<12, using: &random) == 0
    // Few times and SKUs, so that equal times, repetitions and overwrites are common.
    let time = isFuture ? WallClock.nanoseconds() + StockHistory.day : Int64.random(in: 1...6, using: &random)
    let rows = (0..<Int.random(in: 0...4, using: &random)).map { _ in
      TestRow(
        (skus + [""]).randomElement(using: &random) ?? "", [nil, -1, 0, 1, 2, 3].randomElement(using: &random) ?? 0,
        unlimited: Int.random(in: 0..<5, using: &random) == 0)
    }
    return try snapshot(mode, aggregates.randomElement(using: &random) ?? "", at: time, rows)
  }

  @Test("they come to what they come to one by one", arguments: TestEngine.allCases)
  func likeOneByOne(engine: TestEngine) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("DeltasTogetherTests seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for round in 0..<20 {
      let (joined, single) = (try TemporaryStock(engine), try TemporaryStock(engine))
      for stock in [joined, single] { try await stock.database.write { try PushQueue.setTargets(Self.target, $0) } }
      for burst in 0..<5 {
        let messages = try (0..<Int.random(in: 1...12, using: &random)).map { _ in try Self.message(&random) }
        let outcomes = try await Self.together(messages, joined.store).map(Self.withoutID)
        let expected = try await Self.oneByOne(messages, single.store).map(Self.withoutID)
        let place = "seed \(seed), round \(round), burst \(burst): \(messages)"
        #expect(outcomes == expected, "\(place)")
        for aggregate in Self.aggregates {
          #expect(
            try await Self.contents(joined, aggregate) == Self.contents(single, aggregate), "\(place), \(aggregate)")
        }
      }
      for stock in [joined, single] { await stock.database.close() }
    }
  }

  /// PostgreSQL runs what is of a key in a row, so aggregates are numbered in another order.
  private static func withoutID(_ outcome: SnapshotOutcome) -> SnapshotOutcome {
    var outcome = outcome
    if outcome.heldID != 0 { outcome.heldID = 1 }
    return outcome
  }

  @Test("large ones, which are read as neighbours, come to the same", arguments: TestEngine.allCases)
  func large(engine: TestEngine) async throws {
    let (joined, single) = (try TemporaryStock(engine), try TemporaryStock(engine))
    func rows(_ range: Range<Int>, _ quantity: Int64) -> [TestRow] {
      range.map { TestRow("s\(10_000 + $0)", quantity) }
    }
    // Half of each is of the one before, too; between what the second and the last name lies much that nobody does.
    let messages = try [
      snapshot(.delta, "EU", at: 20, rows(0..<600, 2)), snapshot(.delta, "EU", at: 30, rows(300..<900, 3)),
      snapshot(.delta, "EU", at: 10, rows(600..<1_200, 4)), snapshot(.delta, "EU", at: 30, rows(8_400..<9_000, 5)),
    ]
    #expect(MergedRows(messages).areNeighbours)
    for stock in [joined, single] { try await stock.apply(.full, "EU", at: 15, rows(0..<9_000, 1)) }
    let outcomes = try await Self.together(messages, joined.store)
    #expect(try await outcomes == Self.oneByOne(messages, single.store))
    #expect(outcomes.map(\.stale) == [0, 0, 600, 0])
    #expect(try await joined.contents("EU") == single.contents("EU"))
    for stock in [joined, single] { await stock.database.close() }
  }

  @Test("those of an aggregate take the statements of one", arguments: TestEngine.allCases)
  func once(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    var store = stock.store
    let looks = Lock(0)
    // Each run asks for the time once.
    store.clock = {
      looks.withLock { $0 += 1 }
      return WallClock.nanoseconds()
    }
    let messages = try (1...50).map { try snapshot(.delta, at: Int64($0), [TestRow("s\($0 % 7)", Int64($0))]) }
    let outcomes = try await Self.together(messages, store)
    #expect(outcomes.allSatisfy { $0.applied == 1 && $0.stale == 0 })
    #expect(looks.withLock { $0 } == 1)
    #expect(try await stock.contents().count == 7)
    await stock.database.close()
  }
}
