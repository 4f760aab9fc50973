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

  @Test("one that waits for a reason that this version does not know is not taken for one from the future")
  func unknownReason() async throws {
    let stock = try TemporaryStock()
    #expect(try await stock.apply(.delta, at: WallClock.nanoseconds() + 60 * Self.minute, ["a=5"]).heldID == 1)
    try await stock.database.write { try $0.execute("UPDATE held_snapshot SET reason = 9") }
    let error = await #expect(throws: StorageError.self) { try await Self.held(stock) }
    #expect(error?.message == "the reason of held snapshot 1 is 9, which is unknown")
    await stock.database.close()
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

@Suite("NONZEROs from the future")
struct HeldNonzeroTests {
  private static let hour: Int64 = 3_600 * 1_000_000_000

  private static func held(_ stock: TemporaryStock) async throws -> [HeldSnapshot] {
    try await stock.database.read { try HeldSnapshots.page(after: 0, limit: 100, $0) }
  }

  private static func time(_ stock: TemporaryStock, _ sku: String) async throws -> Int64 {
    try #require(try await stock.store.stock(aggregateId: "EU-WEB", sku: sku)).createdOn.nanoseconds
  }

  @Test(
    "its parts are one snapshot: decided together, of one time, and what their bad rows name stays",
    arguments: TestEngine.allCases)
  func parts(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let ahead = WallClock.nanoseconds() + Self.hour
    try await stock.apply(.full, at: 10, ["a=1", "b=2", "c=3", "d=4", "z=9"])
    for rows: [TestRow] in [["a=5", "b", ""], ["c=6"]] {
      #expect(try await stock.apply(.nonzero, at: ahead, rows).isFuture)
    }
    let another = try await stock.apply(.nonzero, at: ahead + 1, ["a=7"])
    let first = try #require(try await Self.held(stock).first)
    let applied = try #require(try await stock.store.decide(first, apply: true))
    #expect(applied.applied == 2 && applied.invalid == 2 && applied.zeroed == 0)
    #expect(
      applied.invalidRows.map(\.reason).allSatisfy { !$0.isEmpty } && applied.invalidRows.map(\.sku) == ["b", ""])
    #expect(applied.invalidRows == (try snapshot(.nonzero, at: 1, ["a=5", "b", ""])).invalidRows)
    #expect(try await Self.held(stock).map(\.id) == [another.heldID])
    let time = try await Self.time(stock, "a")
    #expect(try await Self.time(stock, "c") == time)
    #expect(first.heldAt == time)

    // One more part comes: it ends when that is released, too.
    try await stock.apply(.nonzero, at: ahead, ["d=8"])
    let later = stock.store.later(NonzeroRun.idleTime)
    #expect(try await later.closeIdleRun(of: "EU-WEB") == nil)
    let late = try #require(try await Self.held(stock).last)
    #expect(try await stock.store.decide(late, apply: true)?.zeroed == 0)
    #expect(try await Self.time(stock, "d") == time)
    #expect(try await later.closeIdleRun(of: "EU-WEB")?.zeroed == 1)
    let contents = try await stock.contents().map { $0.prefix { $0 != "@" } }
    #expect(contents == ["a=5", "b=2", "c=6", "d=8", "z=0"])
    await stock.database.close()
  }

  @Test("one that came whole zeroes what it leaves out when it is applied", arguments: TestEngine.allCases)
  func whole(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["a=1", "b=2", "z=9"])
    try await stock.apply(.nonzero, at: WallClock.nanoseconds() + Self.hour, ["a=5", "b"])
    let held = try #require(try await Self.held(stock).first)
    let applied = try #require(try await stock.store.decide(held, apply: true))
    #expect(applied.applied == 1 && applied.invalid == 1 && applied.zeroed == 1)
    #expect(try await stock.contents().map { $0.prefix { $0 != "@" } } == ["a=5", "b=2", "z=0"])
    await stock.database.close()
  }

  @Test("dropping one drops its parts, and nothing of another")
  func drop() async throws {
    let stock = try TemporaryStock()
    let ahead = WallClock.nanoseconds() + Self.hour
    for rows: [TestRow] in [["a=5"], ["b=6"]] { try await stock.apply(.nonzero, at: ahead, rows) }
    try await stock.apply(.delta, at: ahead, ["c=6"])
    try await stock.apply(.nonzero, "US", at: ahead, ["a=1"])
    let first = try #require(try await Self.held(stock).first)
    #expect(try await stock.store.decide(first, apply: false) == nil)
    #expect(try await Self.held(stock).map { "\($0.aggregateId) \($0.mode)" } == ["EU-WEB delta", "US nonzero"])
    await stock.database.close()
  }

  @Test("the times of released ones are kept for as long as the journal keeps messages", arguments: TestEngine.allCases)
  func retention(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let (createdOn, time) = (CreatedOn(nanoseconds: 100), CreatedOn(nanoseconds: 50))
    try await stock.database.write { connection in
      try ReleasedSnapshots.note(createdOn, in: "EU", as: time, connection, at: 50)
      try ReleasedSnapshots.note(createdOn, in: "EU", as: CreatedOn(nanoseconds: 60), connection, at: 60)
      #expect(try ReleasedSnapshots.time(of: createdOn, in: "EU", connection) == time)
      #expect(try ReleasedSnapshots.origins(of: time, in: "EU", connection) == [createdOn])
      #expect(try ReleasedSnapshots.removeOld(connection, now: ReleasedSnapshots.retention + 50) == 0)
      #expect(try ReleasedSnapshots.removeOld(connection, now: ReleasedSnapshots.retention + 51) == 1)
      #expect(try ReleasedSnapshots.time(of: createdOn, in: "EU", connection) == nil)
    }
    await stock.database.close()
  }
}

extension StockStore {
  /// The same one with a clock that is ahead.
  fileprivate func later(_ nanoseconds: Int64) -> StockStore {
    var later = self
    later.clock = { WallClock.nanoseconds() + nanoseconds }
    return later
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

  @Test(
    "what it has named is not left out, though a DELTA of the same time has come since", arguments: TestEngine.allCases)
  func sameTime(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["z=9"])
    try await stock.apply(.nonzero, at: 20, Self.large + ["a=5", "b=5"])
    try await stock.apply(.delta, at: 20, ["a=4", "z=8"])
    try await stock.apply(.delta, at: 19, ["b=3"])
    #expect(try await stock.apply(.full, at: 21, []).zeroed == 1)
    let contents = try await stock.contents().filter { !$0.hasPrefix("p") }
    #expect(contents == ["a=4@20", "b=5@20", "z=0@20"])
    await stock.database.close()
  }

  @Test("what bad rows of one part name is spared when another part ends it", arguments: TestEngine.allCases)
  func namedByBadRows(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["a=1", "b=2", "z=9"])
    // Small and the first of its time: it is taken for the whole, until another part comes.
    #expect(try await stock.apply(.nonzero, at: 20, ["b"]).zeroed == 2)
    try await stock.apply(.nonzero, at: 20, ["a=5"])
    #expect(try await stock.apply(.full, at: 21, []).zeroed == 0)
    #expect(try await stock.contents() == ["a=5@20", "b=2@10", "z=0@20"])
    // A later NONZERO leaves it out.
    #expect(try await stock.apply(.nonzero, at: 22, []).zeroed == 3)
    // A part of the first comes late, when the later one has set everything.
    #expect(try await stock.apply(.nonzero, at: 20, ["a=6"]).stale == 1)
    #expect(try await stock.contents() == ["a=0@22", "b=0@22", "z=0@22"])
    await stock.database.close()
  }

  @Test("what was noted of bad rows before an upgrade is that of the last one", arguments: TestEngine.allCases)
  func upgrade(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let steps = StockSchema.migrations
    let old = try files.open(Array(steps.prefix { $0.name != StockSchema.sparedMigration.name }))
    try await old.write { connection in
      try connection.execute("INSERT INTO stock_nonzero VALUES ('EU-WEB', 20, 1, 1, 1, 1)")
      try connection.execute("INSERT INTO stock_nonzero_spared VALUES ('EU-WEB', 'a')")
      try connection.execute(
        "INSERT INTO \(StockSchema.table) VALUES ('EU-WEB', 'a', 1, 0, 10, 0), ('EU-WEB', 'b', 2, 0, 10, 0)")
    }
    await old.close()
    let store = StockStore(try files.open(steps))
    let outcome = try await store.enqueue(snapshot(.full, at: 30, [])).value()
    #expect(outcome.zeroed == 1)
    #expect(try await store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity == 1)
    await store.database.close()
  }

  @Test("numbers of held snapshots go on after an upgrade, also behind one that is gone")
  func numbers() async throws {
    let files = try TestStore(.postgresql)
    let steps = StockSchema.migrations
    let old = try files.open(Array(steps.prefix { $0.name != StockSchema.heldNumberMigration.name }))
    try await old.write { connection in
      for digest in ["a", "b", "c"] {
        try connection.execute(
          """
          INSERT INTO held_snapshot
            (aggregate_id, digest, mode, created_on, reason, explanation, skus, zeros, held_at, body)
          VALUES ('EU-WEB', '\(digest)', 1, 20, 1, '', 1, 0, 5, '')
          """)
      }
      try connection.execute("DELETE FROM held_snapshot WHERE id = 3")
    }
    await old.close()
    let store = StockStore(try files.open(steps))
    let future = store.clock() + 2 * HeldSnapshots.longestAhead
    #expect(try await store.enqueue(snapshot(.full, at: future, ["a=1"])).value().heldID == 4)
    #expect(try await store.enqueue(snapshot(.full, at: future, ["a=2"])).value().heldID == 5)
    #expect(try await store.enqueue(snapshot(.full, at: future, ["a=1"])).value().heldID == 4)
    let held = try await store.database.read { try HeldSnapshots.page(after: 0, limit: 9, $0) }
    #expect(held.map(\.id) == [1, 2, 4, 5])
    await store.database.close()
  }

  @Test(
    "a SKU whose time was reset waits for the next message, not for the last one's end", arguments: TestEngine.allCases)
  func reset(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 10, ["a=1", "b=2"])
    for rows: [TestRow] in [["a=5"], ["c=1"]] { try await stock.apply(.nonzero, at: 20, rows) }
    _ = try await stock.store.resetTimestamp(aggregateId: "EU-WEB", sku: "a")
    #expect(try await stock.apply(.full, at: 21, []).zeroed == 0)
    #expect(try await stock.contents() == ["a=5@0", "b=0@20", "c=1@20"])
    #expect(try await stock.apply(.nonzero, at: 22, ["c=1"]).zeroed == 2)
    await stock.database.close()
  }

  private struct Inbox: StockJournal {
    let isEmpty: Bool
    /// The bodies of messages that failed, by their numbers; more of the same on further pages.
    var failed: [Int64: String] = [:]
    var pages = 1
    func messages(
      of aggregateId: String, before: Int64, limit: Int, token: String
    ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) { ([], "") }
    func message(_ id: Int64) async throws -> Omsconnector.V1.JournalMessage {
      guard let body = failed[id] else { throw RPCError(.notFound, "none") }
      return .init(id: id, body: body)
    }
    func failed(
      of aggregateId: String, since: Int64, token: String
    ) async throws -> (messages: [Omsconnector.V1.JournalMessage], token: String) {
      let page = (Int(token) ?? 0) + 1
      return (failed.keys.sorted().map { .init(id: $0) }, page < pages ? "\(page)" : "")
    }
    func hasWaiting(of aggregateId: String) async throws -> Bool { !isEmpty }
  }

  @Test("fifteen idle minutes and an empty inbox end it", arguments: TestEngine.allCases)
  func idle(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let pushed = Counter()
    try await stock.apply(.full, at: 10, ["a=1", "b=2"])
    try await stock.apply(.nonzero, at: 20, Self.large)
    func round(isEmpty: Bool, after: Int64) async throws -> Int64? {
      await NonzeroCloser(store: stock.store.later(after), journal: Inbox(isEmpty: isEmpty)) { pushed.add() }.round()
      return try await stock.store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity
    }
    #expect(try await round(isEmpty: true, after: NonzeroRun.idleTime - 60 * 1_000_000_000) == 1)
    #expect(try await round(isEmpty: false, after: NonzeroRun.idleTime) == 1)
    #expect(try await round(isEmpty: true, after: NonzeroRun.idleTime) == 0)
    #expect(pushed.value == 0, "it has no target")
    await stock.database.close()
  }

  private static func body(_ mode: String, _ createdOn: String) -> String {
    #"{"jsonrpc":"2.0","params":{"snapshot":{"aggregate_id":"EU-WEB","mode":"\#(mode)","created_on":"\#(createdOn)","stock":[]}}}"#
  }

  @Test(
    "a part that failed keeps it open, as does what may be one",
    arguments: [
      (body("NONZERO", "1970-01-01T00:00:20Z"), true), ("{", true), (body("PART", "1970-01-01T00:00:20Z"), true),
      (body("NONZERO", "1970-01-01T00:00:21Z"), false), (body("DELTA", "1970-01-01T00:00:20Z"), false),
    ])
  func failedPart(body: String, staysOpen: Bool) async throws {
    let stock = try TemporaryStock()
    try await stock.apply(.full, at: 10, ["a=1", "b=2"])
    try await stock.apply(.nonzero, at: 20_000_000_000, Self.large)
    let later = stock.store.later(NonzeroRun.idleTime)
    await NonzeroCloser(store: later, journal: Inbox(isEmpty: true, failed: [7: body])) {}.round()
    #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity == (staysOpen ? 1 : 0))
    await stock.database.close()
  }

  @Test("so many failed messages that they are not looked through keep it open")
  func manyFailed() async throws {
    let stock = try TemporaryStock()
    try await stock.apply(.full, at: 10, ["a=1"])
    try await stock.apply(.nonzero, at: 20, Self.large)
    for (pages, left) in [(NonzeroCloser.pageLimit + 1, 1), (NonzeroCloser.pageLimit, 0)] as [(Int, Int64)] {
      let inbox = Inbox(isEmpty: true, failed: [7: Self.body("DELTA", "1970-01-01T00:00:20Z")], pages: pages)
      await NonzeroCloser(store: stock.store.later(NonzeroRun.idleTime), journal: inbox) {}.round()
      #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: "a")?.quantity == left)
    }
    await stock.database.close()
  }
}
