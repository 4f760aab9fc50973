import EventLoop
import Storage
import TestSupport
import Testing

@Suite("Work outside of the store")
struct WorkQueueTests {
  private static let second: Int64 = 1_000_000_000
  private let queue = WorkQueue(kind: "order")

  private func store(_ engine: TestEngine) throws -> Database {
    try TestStore(engine).open([WorkQueue.migration])
  }

  private func add(_ database: Database, _ key: String, after: Duration = .zero, at seconds: Int64) async throws {
    let queue = queue
    try await database.write { try queue.add($0, key, after: after, now: seconds * Self.second) }
  }

  private func claim(
    _ database: Database, _ holder: String, limit: Int = 10, at seconds: Int64
  ) async throws -> [WorkItem] {
    let queue = queue
    return try await database.write {
      try queue.claim($0, limit: limit, holder: holder, for: .seconds(30), now: seconds * Self.second)
    }
  }

  private func waiting(_ database: Database, _ key: String) async throws -> WaitingWork? {
    let queue = queue
    return try await database.read { try queue.waiting($0, key) }
  }

  @Test("a key is worked on by one at a time, and is gone when it is done", arguments: TestEngine.allCases)
  func done(engine: TestEngine) async throws {
    let database = try store(engine)
    let queue = queue
    try await add(database, "1", at: 100)
    try await add(database, "1", at: 100)
    let items = try await claim(database, "a", at: 100)
    #expect(items.map(\.key) == ["1"])
    #expect(try await claim(database, "b", at: 129).isEmpty)
    for (time, isWorkedOn) in [(Int64(129), true), (131, false)] {
      let found = try await database.read { try queue.isWorkedOn($0, "1", now: time * Self.second) }
      #expect(found == isWorkedOn)
    }
    try await database.write { try queue.finish($0, items[0], now: 110 * Self.second) }
    #expect(try await waiting(database, "1") == nil)
    await database.close()
  }

  /// A circle would cost the server a second to notice, and one of the two its work.
  @Test("who adds keys and who claims them on another replica don't wait for each other in a circle")
  func lockOrder() async throws {
    let store = try TestStore(.postgresql)
    let databases = try (0..<2).map { _ in try store.open([WorkQueue.migration]) }
    let queue = queue
    try await add(databases[0], "b", at: 100)
    try await add(databases[0], "a", at: 101)
    let runs = Lock(0)
    let gate = Gate()
    let adding = try databases[0].enqueueWrite(isolation: .readCommitted) { connection in
      runs.withLock { $0 += 1 }
      try queue.add(connection, "a", now: 102 * Self.second)
      gate.pass()
      try queue.add(connection, "b", now: 102 * Self.second)
    }
    await gate.waitUntilEntered()
    let claiming = try databases[1].enqueueWrite(isolation: .readCommitted) { connection in
      runs.withLock { $0 += 1 }
      return try queue.claim(connection, limit: 2, holder: "c", for: .seconds(30), now: 103 * Self.second)
    }
    try await databases[1].waitUntilOneIsBlocked()
    gate.open()
    try await adding.value()
    #expect(try await claiming.value().map(\.key) == ["a", "b"])
    #expect(runs.withLock { $0 } == 2)
    for database in databases { await database.close() }
  }

  @Test("what is added while it is worked on is worked on once more", arguments: TestEngine.allCases)
  func addedMeanwhile(engine: TestEngine) async throws {
    let database = try store(engine)
    let queue = queue
    for end in ["finish", "retry", "park"] {
      try await add(database, end, at: 100)
      let item = try #require(try await claim(database, "a", at: 100).first)
      try await add(database, end, at: 101)
      try await database.write { connection in
        switch end {
        case "finish": try queue.finish(connection, item, now: 102 * Self.second)
        case "retry": try queue.retry(connection, item, after: .seconds(500), reason: "no", now: 102 * Self.second)
        default: try queue.park(connection, item, reason: "no")
        }
      }
      let again = try await claim(database, "a", at: 102)
      #expect(again.map(\.key) == [end], "after \(end)")
      if let item = again.first { try await database.write { try queue.finish($0, item) } }
    }
    await database.close()
  }

  @Test("a worker whose time is over is not taken for the next one of the same process", arguments: TestEngine.allCases)
  func ownExpired(engine: TestEngine) async throws {
    let database = try store(engine)
    let queue = queue
    try await add(database, "1", at: 100)
    let late = try #require(try await claim(database, "a", at: 100).first)
    let next = try #require(try await claim(database, "a", at: 130).first, "its own, once its time is over")
    #expect(try await !database.write { try queue.prolong($0, late, for: .seconds(30), now: 131 * Self.second) })
    try await database.write { try queue.retry($0, late, after: .seconds(500), reason: "late", now: 132 * Self.second) }
    try await database.write { try queue.park($0, late, reason: "late") }
    try await database.write { try queue.finish($0, late, now: 133 * Self.second) }
    let found = try #require(try await waiting(database, "1"))
    #expect(!found.isParked && found.attempts == 0 && found.reason.isEmpty && found.dueAt == 100 * Self.second)
    #expect(try await claim(database, "a", at: 134).isEmpty, "the next one still has it")
    #expect(try await database.write { try queue.prolong($0, next, for: .seconds(30), now: 135 * Self.second) })
    try await database.write { try queue.finish($0, next) }
    #expect(try await waiting(database, "1") == nil)
    await database.close()
  }

  @Test(
    "a dead holder's key passes on, and what the dead one says then changes nothing", arguments: TestEngine.allCases)
  func deadHolder(engine: TestEngine) async throws {
    let database = try store(engine)
    let queue = queue
    try await add(database, "1", at: 100)
    let first = try #require(try await claim(database, "a", at: 100).first)
    #expect(try await database.write { try queue.prolong($0, first, for: .seconds(30), now: 120 * Self.second) })
    #expect(try await claim(database, "b", at: 149).isEmpty)
    let second = try #require(try await claim(database, "b", at: 150).first)
    #expect(try await !database.write { try queue.prolong($0, first, for: .seconds(30), now: 151 * Self.second) })
    try await database.write { try queue.finish($0, first) }
    try await database.write { try queue.park($0, first, reason: "late") }
    #expect(try await waiting(database, "1")?.isParked == false)
    try await database.write { try queue.finish($0, second) }
    #expect(try await waiting(database, "1") == nil)
    await database.close()
  }

  @Test("what failed is due again in its time, and counts its attempts", arguments: TestEngine.allCases)
  func again(engine: TestEngine) async throws {
    let database = try store(engine)
    let queue = queue
    try await add(database, "1", at: 100)
    let item = try #require(try await claim(database, "a", at: 100).first)
    try await database.write {
      try queue.retry($0, item, after: .seconds(8), reason: "shop away", now: 101 * Self.second)
    }
    #expect(try await claim(database, "a", at: 108).isEmpty)
    let waits = try #require(try await waiting(database, "1"))
    #expect(waits.attempts == 1 && waits.reason == "shop away" && waits.dueAt == 109 * Self.second)
    #expect(try await database.read { try queue.nextDue($0) } == 109 * Self.second)
    let next = try #require(try await claim(database, "a", at: 109).first)
    #expect(next.attempts == 1 && next.addedAt == 100 * Self.second)
    // Something new makes it due at once, and never later.
    try await database.write { try queue.retry($0, next, after: .seconds(300), reason: "", now: 109 * Self.second) }
    try await add(database, "1", after: .seconds(600), at: 110)
    #expect(try await waiting(database, "1")?.dueAt == 409 * Self.second)
    try await add(database, "1", at: 111)
    #expect(try await claim(database, "a", at: 111).map(\.key) == ["1"])
    await database.close()
  }

  @Test("what is parked waits until it is added again, and begins anew then", arguments: TestEngine.allCases)
  func parked(engine: TestEngine) async throws {
    let database = try store(engine)
    let queue = queue
    try await add(database, "1", at: 100)
    let item = try #require(try await claim(database, "a", at: 100).first)
    try await database.write { try queue.park($0, item, reason: String(repeating: "x", count: 5_000)) }
    #expect(try await claim(database, "a", at: 999_999).isEmpty)
    #expect(try await waiting(database, "1")?.reason.count == 2_000)
    let count = try await database.read { try queue.count($0) }
    #expect(count.waiting == 0 && count.parked == 1)
    try await add(database, "1", at: 200)
    let next = try #require(try await claim(database, "a", at: 200).first)
    #expect(next.attempts == 0 && next.addedAt == 200 * Self.second)
    await database.close()
  }

  @Test("keys of one queue are none of another's; the longest due come first", arguments: TestEngine.allCases)
  func order(engine: TestEngine) async throws {
    let database = try store(engine)
    let other = WorkQueue(kind: "refund")
    try await database.write { try other.add($0, "r", now: 50 * Self.second) }
    for (key, time) in [("c", 103), ("a", 101), ("b", 102)] { try await add(database, key, at: Int64(time)) }
    #expect(try await claim(database, "x", limit: 2, at: 200).map(\.key) == ["a", "b"])
    #expect(try await claim(database, "y", limit: 2, at: 200).map(\.key) == ["c"])
    await database.close()
  }
}
