import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import Inventory

@Suite("Snapshots that wait for the operator")
struct HeldSnapshotTests {
  private typealias Methods = Omsconnector.V1.InventoryServiceMethods
  private static let minute: Int64 = 60 * 1_000_000_000

  private static func held(_ stock: TemporaryStock) async throws -> [HeldSnapshot] {
    try await stock.database.read { try HeldSnapshots.page(after: 0, limit: 100, $0) }
  }

  @Test("one from the future is held once, told to its caller, and applied as of now", arguments: TestEngine.allCases)
  func future(engine: TestEngine) async throws {
    try await withInventory([engine]) { live in
      let seconds = WallClock.nanoseconds() / 1_000_000_000 + 3_600
      for _ in 1...2 {
        let error = await status {
          _ = try await live.client.applyStockSnapshot(.init(snapshot: message(.delta, at: seconds, ["a=5", "b=6"])))
        }
        #expect(error?.code == .failedPrecondition)
        #expect(error?.message.contains("it waits for the operator as 1: see omsctl stock held") ?? false)
      }
      let error = await status {
        _ = try await live.client.streamStockSnapshots { requests in
          try await requests.send(.init(snapshot: message(.delta, ["c=1"])))
          try await requests.send(.init(snapshot: message(.delta, at: seconds, ["d=1"])))
        }
      }
      #expect(error?.message.hasPrefix("part 2: snapshot EU-WEB: created_on") ?? false)
      #expect(try await live.stock.contents() == ["c=1@1000000000"])
      let list = try await live.channel.unary(Methods.listHeldSnapshots, .init(pageSize: 1))
      let first = try #require(list.heldSnapshots.first)
      #expect(first.id == 1 && first.reason == .future && first.skus == 2 && !list.nextPageToken.isEmpty)
      let applied = try await live.channel.unary(Methods.decideHeldSnapshot, .init(id: 1, apply: true))
      #expect(applied.applied?.applied == 2)
      #expect(try await live.stock.store.stock(aggregateId: "EU-WEB", sku: "b")?.quantity == 6)
      let now = CreatedOn(nanoseconds: WallClock.nanoseconds())
      #expect(try #require(try await live.stock.store.stock(aggregateId: "EU-WEB", sku: "b")).createdOn <= now)
      #expect(
        await status { _ = try await live.channel.unary(Methods.decideHeldSnapshot, .init(id: 1)) }?.code == .notFound)
      let rest = try await live.channel.unary(
        Methods.listHeldSnapshots, .init(pageToken: list.nextPageToken))
      let second = try #require(rest.heldSnapshots.first)
      #expect(rest.heldSnapshots.count == 1 && second.skus == 1 && rest.nextPageToken.isEmpty)
      _ = try await live.channel.unary(Methods.decideHeldSnapshot, .init(id: second.id))
      #expect(try await Self.held(live.stock).isEmpty)
    }
  }

  @Test("up to ten minutes ahead is taken")
  func ahead() async throws {
    let stock = try TemporaryStock()
    try await stock.apply(.delta, at: WallClock.nanoseconds() + 9 * Self.minute, ["a=5"])
    #expect(try await stock.contents().count == 1)
    await stock.database.close()
  }

  @Test("more than a fifth to 0 waits, and spares what has come since", arguments: TestEngine.allCases)
  func zeros(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let rows = (0..<20).map { TestRow("s\($0 + 10)", 1) }
    try await stock.apply(.full, at: 10, rows)
    // Four of twenty are a fifth.
    let fifth = try await stock.apply(.nonzero, at: 20, Array(rows[4...]))
    #expect(fifth.zeroed == 4 && fifth.heldID == 0)
    let more = try await stock.apply(.nonzero, at: 30, Array(rows[10...]) + ["s14"])
    #expect(more.zeroed == 0 && more.heldID != 0)
    let held = try #require(try await Self.held(stock).first)
    #expect(held.reason == .manyZeros && held.zeros == 5 && held.skus == 11)
    #expect(
      held.explanation == "what it leaves out would set 5 of 20 SKUs to 0, more than a fifth; what it names is applied")
    try await stock.apply(.delta, at: 31, ["s15=7"])
    let applied = try #require(try await stock.store.decide(held, apply: true))
    #expect(applied.zeroed == 8)
    let kept = try await stock.contents().filter { !$0.contains("=0@") && !$0.hasSuffix("=1@30") }
    #expect(kept == ["s14=1@20", "s15=7@31"])
    #expect(try await stock.store.decide(held, apply: true) == nil)
    await stock.database.close()
  }

  @Test("a later NONZERO overtakes a held one")
  func overtaken() async throws {
    let stock = try TemporaryStock()
    try await stock.apply(.full, at: 10, (0..<20).map { TestRow("s\($0)", 1) })
    for time in [20, 30] { try await stock.apply(.nonzero, at: Int64(time), ["s0=1"]) }
    #expect(try await Self.held(stock).map(\.createdOn.nanoseconds) == [30])
    await stock.database.close()
  }

  @Test("no more wait than there is room for")
  func limit() async throws {
    let stock = try TemporaryStock()
    let ahead = WallClock.nanoseconds() + 60 * Self.minute
    for number in 0..<HeldSnapshots.limit {
      try await stock.apply(.delta, at: ahead + Int64(number), ["a=5"])
    }
    await #expect(throws: SnapshotError.self) { try await stock.apply(.delta, at: ahead - 1, ["a=5"]) }
    await stock.database.close()
  }
}

@Suite("NONZEROs in parts")
struct NonzeroRunTests {
  private static let large = (0..<NonzeroRun.partSize).map { TestRow("p\($0)", 1) }

  @Test("a large one leaves open what it leaves out, until a later FULL", arguments: TestEngine.allCases)
  func large(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["a=1", "b=2"])
    #expect(try await stock.apply(.nonzero, at: 20, Self.large).zeroed == 0)
    #expect(try await stock.apply(.nonzero, at: 20, ["b=3", "c"]).zeroed == 0)
    #expect(try await stock.apply(.full, at: 20, ["x=1"]).zeroed == 0)
    #expect(try await stock.apply(.delta, at: 21, ["y=1"]).zeroed == 0)
    #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity == 1)
    #expect(try await stock.apply(.full, at: 22, ["x=1"]).zeroed == 2)
    #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity == 0)
    #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: "b")?.quantity == 3)
    await stock.database.close()
  }

  private struct Inbox: StockJournal {
    let isEmpty: Bool
    func messages(
      of aggregateId: String, before: Int64, limit: Int, token: String
    ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) { ([], "") }
    func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage { throw RPCError(.notFound, "none") }
    func hasWaiting(of aggregateId: String) async throws -> Bool { !isEmpty }
  }

  @Test("fifteen idle minutes and an empty inbox end it", arguments: TestEngine.allCases)
  func idle(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let pushed = Counter()
    try await stock.apply(.full, at: 10, ["a=1", "b=2"])
    try await stock.apply(.nonzero, at: 20, Self.large)
    func round(isEmpty: Bool, after: Int64) async throws -> Int64? {
      await NonzeroCloser(store: stock.store, journal: Inbox(isEmpty: isEmpty)) { pushed.add() }
        .round(now: WallClock.nanoseconds() + after)
      return try await stock.store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity
    }
    #expect(try await round(isEmpty: true, after: NonzeroRun.idleTime - 60 * 1_000_000_000) == 1)
    #expect(try await round(isEmpty: false, after: NonzeroRun.idleTime) == 1)
    #expect(try await round(isEmpty: true, after: NonzeroRun.idleTime) == 0)
    #expect(pushed.value == 0, "it has no target")
    await stock.database.close()
  }
}
