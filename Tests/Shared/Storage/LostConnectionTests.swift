import EventLoop
import Glibc
import TestSupport
import Testing

@testable import Storage

@Suite("A server that goes away")
struct LostConnectionTests {
  /// What became of the writes of a test.
  private final class Outcomes: Sendable {
    struct State {
      var acknowledged: Set<String> = []
      var unknown: Set<String> = []
      var isOver = false
    }

    private let state = Lock(State())
    func note(_ change: @Sendable (inout State) -> Void) { state.withLock { change(&$0) } }
    var now: State { state.withLock { $0 } }
  }

  /// How often a body was run.
  private final class Runs: Sendable {
    private let count = Lock(0)
    func add() -> Int {
      count.withLock {
        $0 += 1; return $0
      }
    }
    var value: Int { count.withLock { $0 } }
  }

  @Test("a connection that was lost between two calls is made anew without anybody noticing")
  func idle() async throws {
    let store = try TemporaryStore(.postgresql)
    let database = try store.open()
    try await database.write { try $0.insertNote("before") }
    #expect(try await database.read { try $0.notes() } == ["before"])
    try await ServerSessions.end(of: store.files)
    try await database.write { try $0.insertNote("after") }
    for _ in 0..<4 { #expect(try await database.read { try $0.notes() } == ["before", "after"]) }
    await database.close()
  }

  @Test("what a lost connection has not committed is run again, once")
  func duringBody() async throws {
    let store = try TemporaryStore(.postgresql)
    let database = try store.open()
    let runs = Runs()
    let gate = Gate()
    let write = try database.enqueueWrite { connection in
      try connection.insertNote("first")
      if runs.add() == 1 { gate.pass() }
      try connection.insertNote("second")
    }
    await gate.waitUntilEntered()
    try await ServerSessions.end(of: store.files)
    gate.open()
    try await write.value()
    #expect(runs.value == 2)
    #expect(try await database.read { try $0.notes() } == ["first", "second"])
    await database.close()
  }

  @Test("a read whose connection is lost is run again")
  func duringRead() async throws {
    let store = try TemporaryStore(.postgresql)
    let database = try store.open()
    try await database.write { try $0.insertNote("a") }
    let runs = Runs()
    let gate = Gate()
    async let notes = database.read { connection in
      if runs.add() == 1 {
        _ = try connection.notes()
        gate.pass()
      }
      return try connection.notes()
    }
    await gate.waitUntilEntered()
    try await ServerSessions.end(of: store.files)
    gate.open()
    #expect(try await notes == ["a"])
    #expect(runs.value == 2)
    await database.close()
  }

  @Test(
    "a commit whose answer is lost says so, is not run again, and the next one works",
    arguments: CuttingProxy.Cut.allCases)
  func answerLost(cut: CuttingProxy.Cut) async throws {
    let proxy = try CuttingProxy(serverURL: String(cString: try #require(getenv("TEST_POSTGRESQL_URL"))))
    defer { proxy.stop() }
    var options = DatabaseOptions()
    options.statementTimeout = .milliseconds(500)
    options.answerGrace = .zero
    let database = try Database(
      service: try TestStore(.postgresql).service, at: proxy.location, migrations: TemporaryStore.schema,
      options: options)
    let runs = Runs()
    proxy.cutNextCommit(cut)
    let error = await #expect(throws: StorageError.self) {
      try await database.write {
        _ = runs.add()
        try $0.insertNote("which?")
      }
    }
    #expect(error?.kind == .outcomeUnknown)
    #expect(runs.value == 1)
    try await database.write { try $0.insertNote("next") }
    let notes = try await database.read { try $0.notes() }
    #expect(notes == (cut == .before ? ["next"] : ["which?", "next"]))
    await database.close()
  }

  @Test(
    "a server that is restarted under load loses nothing that was acknowledged and does nothing twice",
    arguments: ["fast", "immediate"])
  func restart(mode: String) async throws {
    let server = try PrivateServer()
    let database = try server.open { $0.outageTimeout = .seconds(60) }
    let outcomes = Outcomes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for worker in 0..<4 {
        group.addTask {
          var number = 0
          while !outcomes.now.isOver {
            number += 1
            let text = "\(worker) \(number)"
            do {
              try await database.write { try $0.insertNote(text) }
              outcomes.note { $0.acknowledged.insert(text) }
            } catch let error as StorageError where error.kind == .outcomeUnknown {
              outcomes.note { $0.unknown.insert(text) }
            }
          }
        }
      }
      group.addTask {
        defer { outcomes.note { $0.isOver = true } }
        for _ in 0..<2 {
          // Work before and after, however long that takes.
          let before = database.commits
          while database.commits < before + 20 { await Task.yield() }
          try server.stop(mode)
          try server.start()
        }
      }
      try await group.waitForAll()
    }
    try await database.write { try $0.insertNote("end") }
    let notes = try await database.read { try $0.notes() }
    let found = Set(notes)
    #expect(found.count == notes.count, "something is there twice")
    let (acknowledged, unknown) = (outcomes.now.acknowledged, outcomes.now.unknown)
    #expect(acknowledged.isSubset(of: found))
    #expect(found.subtracting(["end"]).isSubset(of: acknowledged.union(unknown)))
    await database.close()
  }

  @Test("calls wait for a server that is away for a bounded time, then fail at once, and work when it is back")
  func outage() async throws {
    let server = try PrivateServer()
    let database = try server.open { $0.outageTimeout = .milliseconds(300) }
    try await database.write { try $0.insertNote("before") }
    try server.stop("fast")
    let error = await #expect(throws: StorageError.self) { try await database.write { try $0.insertNote("lost") } }
    #expect(error?.kind == .unavailable)
    #expect(error?.remedy != nil)
    let readError = await #expect(throws: StorageError.self) { try await database.read { try $0.notes() } }
    #expect(readError?.kind == .unavailable)
    try server.start()
    // The first may still hear of the outage.
    while (try? await database.write { try $0.insertNote("after") }) == nil {}
    while true {
      guard let notes = try? await database.read({ try $0.notes() }) else { continue }
      #expect(notes == ["before", "after"])
      break
    }
    await database.close()
  }

  @Test("a store is closed while its server is away: what waits fails")
  func closing() async throws {
    let server = try PrivateServer()
    let database = try server.open { $0.outageTimeout = .seconds(3_600) }
    try server.stop("fast")
    let write = try database.enqueueWrite { try $0.insertNote("lost") }
    await database.close()
    let error = await #expect(throws: StorageError.self) { try await write.value() }
    #expect(error?.kind == .unavailable)
  }
}
