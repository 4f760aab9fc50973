import EventLoop
import Storage
import TestSupport
import Testing

@Suite("Group commit")
struct GroupCommitTests {

  /// Hands over `jobs` while the writer is held inside an earlier write, lets it go, and answers what they came to and
  /// how many commits they took.
  func together(
    _ database: Database, _ jobs: [@Sendable (Connection) throws -> Void], weight: Int = 1
  ) async throws -> (results: [Result<Void, any Error>], commits: Int) {
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let pending = try jobs.map { try database.enqueueWrite(weight: weight, $0) }
    let before = database.commits
    gate.open()
    try await holding.value()
    var results: [Result<Void, any Error>] = []
    for job in pending {
      do {
        results.append(.success(try await job.value()))
      } catch {
        results.append(.failure(error))
      }
    }
    return (results, database.commits - before - 1)
  }

  func failures(_ results: [Result<Void, any Error>]) -> [Int] {
    results.indices.filter { if case .failure = results[$0] { true } else { false } }
  }

  @Test("all writes that wait share one commit", arguments: TestEngine.allCases)
  func shareOneCommit(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let (results, commits) = try await together(database, (0..<50).map { i in { try $0.insertNote("note \(i)") } })
    #expect(failures(results).isEmpty)
    #expect(commits == 1)
    #expect(try await database.read { try $0.notes() } == (0..<50).map { "note \($0)" })
    await database.close()
  }

  @Test(
    "a commit takes no more writes than its limit, in count", arguments: TestEngine.allCases,
    [(10, 5), (7, 8), (1, 50), (100, 1)])
  func boundedCount(engine: TestEngine, limit: (writes: Int, commits: Int)) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open { $0.maximumBatchCount = limit.writes }
    let outcome = try await together(database, (0..<50).map { i in { try $0.insertNote("\(i)") } })
    #expect(outcome.commits == limit.commits)
    await database.close()
  }

  @Test(
    "a commit takes no more writes than its limit, in weight", arguments: TestEngine.allCases,
    [(1_000, 5), (250, 25), (99, 50)])
  func boundedWeight(engine: TestEngine, limit: (weight: Int, commits: Int)) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open { $0.maximumBatchWeight = limit.weight }
    let outcome = try await together(database, (0..<50).map { i in { try $0.insertNote("\(i)") } }, weight: 100)
    #expect(outcome.commits == limit.commits)
    await database.close()
  }

  @Test("a body that throws takes back its own changes only", arguments: TestEngine.allCases)
  func savepointIsolation(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let (results, commits) = try await together(
      database,
      [
        { try $0.insertNote("a") },
        {
          try $0.insertNote("b")
          throw Refusal()
        },
        { try $0.insertNote("c") },
        { try $0.execute("INSERT INTO note (body) VALUES (NULL)") },
        { try $0.insertNote("d") },
      ])
    #expect(failures(results) == [1, 3])
    #expect(throws: Refusal.self) { try results[1].get() }
    #expect(commits == 1)
    #expect(try await database.read { try $0.notes() } == ["a", "c", "d"])
    await database.close()
  }

  @Test(
    "a write that comes while others are being run has its effect, whatever becomes of it takes none of them along",
    arguments: TestEngine.allCases, [false, true])
  func lateComer(engine: TestEngine, fails: Bool) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let late = Lock<PendingResult<Void>?>(nil)
    let (results, commits) = try await together(
      database,
      [
        { try $0.insertNote("a") },
        { connection in
          try connection.insertNote("b")
          // A body may run again.
          try late.withLock { late in
            late =
              try late
              ?? database.enqueueWrite { connection in
                try connection.insertNote("c")
                if fails { throw Refusal() }
              }
          }
        },
      ])
    #expect(failures(results).isEmpty)
    let last = try #require(late.withLock { $0 })
    if fails {
      await #expect(throws: Refusal.self) { try await last.value() }
    } else {
      try await last.value()
    }
    #expect(try await database.read { try $0.notes() } == (fails ? ["a", "b"] : ["a", "b", "c"]))
    // SQLite's transaction was open still.
    #expect(engine == .postgresql || commits == 1 && database.commits == 2)
    await database.close()
  }

  @Test("a single body that throws is rolled back", arguments: TestEngine.allCases)
  func singleRollback(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    await #expect(throws: Refusal.self) {
      try await database.write {
        try $0.insertNote("gone")
        throw Refusal()
      }
    }
    try await database.write { try $0.insertNote("kept") }
    #expect(try await database.read { try $0.notes() } == ["kept"])
    await database.close()
  }

  @Test(
    "when the commit fails no write of it is reported durable, none is, and the next one works",
    arguments: TestEngine.allCases)
  func commitFails(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let (results, commits) = try await together(
      database, [{ try $0.insertNote("a") }, { try $0.insertDanglingLink() }, { try $0.insertNote("b") }])
    #expect(failures(results) == [0, 1, 2])
    #expect(commits == 0)
    #expect(try await database.read { try $0.notes() }.isEmpty)
    try await database.write { try $0.insertNote("after") }
    #expect(try await database.read { try $0.notes() } == ["after"])
    await database.close()
  }

  @Test(
    "writes beyond the queue's limit are refused, and accepted again once it has room", arguments: TestEngine.allCases)
  func boundedQueue(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open { $0.maximumWaitingWrites = 3 }
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let waiting = try (0..<3).map { i in try database.enqueueWrite { try $0.insertNote("\(i)") } }
    let error = #expect(throws: StorageError.self) { try database.enqueueWrite { try $0.insertNote("too many") } }
    #expect(error?.kind == .overloaded)
    gate.open()
    try await holding.value()
    for job in waiting { try await job.value() }
    try await database.write { try $0.insertNote("again") }
    #expect(try await database.read { try $0.notes() } == ["0", "1", "2", "again"])
    await database.close()
  }

  @Test("the queue is bounded in weight too, yet lets in one write of any weight", arguments: TestEngine.allCases)
  func boundedQueueWeight(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open { $0.maximumWaitingWeight = 100 }
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let heavy = try database.enqueueWrite(weight: 1_000) { try $0.insertNote("heavy") }
    #expect(throws: StorageError.self) { try database.enqueueWrite { try $0.insertNote("light") } }
    gate.open()
    try await holding.value()
    try await heavy.value()
    await database.close()
  }

  @Test("closing finishes what waits and refuses what comes later", arguments: TestEngine.allCases)
  func closeDrains(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let waiting = try (0..<20).map { i in try database.enqueueWrite { try $0.insertNote("\(i)") } }
    async let closed: Void = database.close()
    gate.open()
    try await holding.value()
    for job in waiting { try await job.value() }
    await closed
    let error = await #expect(throws: StorageError.self) { try await database.write { try $0.insertNote("late") } }
    #expect(error?.kind == .closed)
    let again = try store.open()
    #expect(try await again.read { try $0.notes() }.count == 20)
    await again.close()
  }
}
