import Glibc
import Storage
import TestSupport
import Testing

/// Replicas share one file, or one schema. Connections of one process lock against each other as those of several do.
@Suite("Several replicas on one store")
struct SharedStoreTests {
  @Test("replicas that start together all get the schema", arguments: TestEngine.allCases)
  func startTogether(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let databases = try await withThrowingTaskGroup(of: Database.self) { group in
      for _ in 0..<6 { group.addTask { try store.open() } }
      return try await group.reduce(into: [Database]()) { $0.append($1) }
    }
    for (index, database) in databases.enumerated() { try await database.write { try $0.insertNote("\(index)") } }
    #expect(try await databases[0].read { try $0.notes() }.count == 6)
    for database in databases { await database.close() }
  }

  @Test("no write of three replicas is lost, and each sees the others'", arguments: TestEngine.allCases)
  func concurrentWrites(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let databases = try (0..<3).map { _ in try store.open() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for database in databases {
        for _ in 0..<8 {
          group.addTask {
            for _ in 0..<25 { try await database.write { try $0.insertNote("x") } }
          }
        }
      }
      try await group.waitForAll()
    }
    for database in databases {
      #expect(try await database.read { try $0.notes() }.count == 600)
      await database.close()
    }
  }

  @Test("on SQLite a replica that writes without a pause lets another one in")
  func turns() async throws {
    let store = try TemporaryStore()
    let busy = try store.open { $0.maximumBatchCount = 1 }
    let other = try store.open { $0.maximumBatchCount = 1 }
    // 300 transactions of 1 ms that follow each other at once: the other replica must not wait for their end.
    let pending = try (0..<300).map { _ in
      try busy.enqueueWrite {
        try $0.insertNote("busy")
        usleep(1_000)
      }
    }
    // Counted on the writing thread: when this task gets to run again says nothing about the store.
    let others = try (0..<5).map { _ in
      try other.enqueueWrite {
        try $0.insertNote("other")
        return busy.commits
      }
    }
    var committed = 0
    for job in others { committed = try await job.value() }
    for job in pending { try await job.value() }
    #expect(committed < 150)
    await busy.close()
    await other.close()
  }

  @Test("on SQLite a store that another replica keeps locked fails the write as locked, within its time, and recovers")
  func lockedTooLong() async throws {
    let store = try TemporaryStore()
    let holder = try store.open()
    let waiter = try store.open { $0.busyTimeout = .milliseconds(50) }
    let gate = Gate()
    let holding = try holder.enqueueWrite {
      try $0.insertNote("holder")
      gate.pass()
    }
    await gate.waitUntilEntered()
    let error = await #expect(throws: StorageError.self) { try await waiter.write { try $0.insertNote("waiter") } }
    #expect(error?.kind == .locked)
    #expect(try await waiter.read { try $0.notes() }.isEmpty, "a reader waits for no writer")
    gate.open()
    try await holding.value()
    try await waiter.write { try $0.insertNote("waiter") }
    #expect(try await waiter.read { try $0.notes() } == ["holder", "waiter"])
    await holder.close()
    await waiter.close()
  }
}
