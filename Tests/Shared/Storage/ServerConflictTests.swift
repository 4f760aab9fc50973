import EventLoop
import Glibc
import Storage
import TestSupport
import Testing

/// Replicas of a service on a PostgreSQL server write at the same time, unlike those on a file.
@Suite("Replicas that get in each other's way")
struct ServerConflictTests {
  let store: TemporaryStore

  init() throws { store = try TemporaryStore(.postgresql) }

  private func counters(_ database: Database, _ count: Int) async throws {
    try await database.write { connection in
      for id in 0..<count { try connection.execute("INSERT INTO value (id, number) VALUES (\(id), 0)") }
    }
  }

  @Test("bodies that read and then write lose no update: what can't be so is run again")
  func serializable() async throws {
    let databases = try (0..<3).map { _ in try store.open { $0.maximumConflicts = 1_000 } }
    try await counters(databases[0], 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for database in databases {
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<10 {
              try await database.write { connection in
                let number = try connection.number("SELECT number FROM value WHERE id = 0")
                try connection.execute("UPDATE value SET number = \(number + 1) WHERE id = 0")
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await databases[0].read { try $0.number("SELECT number FROM value WHERE id = 0") } == 120)
    for database in databases { await database.close() }
  }

  @Test("a body that others always outrun fails as locked after its attempts")
  func bounded() async throws {
    let database = try store.open { $0.maximumConflicts = 3 }
    let other = try store.open()
    try await counters(database, 1)
    let runs = Lock(0)
    let error = await #expect(throws: StorageError.self) {
      try await database.write { connection in
        runs.withLock { $0 += 1 }
        _ = try connection.number("SELECT number FROM value WHERE id = 0")
        let done = Gate()
        let update = try other.enqueueWrite { try $0.execute("UPDATE value SET number = number + 1 WHERE id = 0") }
        Task {
          try await update.value()
          done.open()
        }
        done.pass()
        try connection.execute("UPDATE value SET number = 0 WHERE id = 0")
      }
    }
    #expect(error?.kind == .locked)
    #expect(error?.sqlState == "40001")
    #expect(runs.withLock { $0 } == 3)
    await database.close()
    await other.close()
  }

  @Test("a commit is kept from others as far as the strictest of its bodies asks")
  func isolation() async throws {
    let database = try store.open()
    let level = { @Sendable (connection: Connection) throws -> String in
      try connection.withStatement("SELECT current_setting('transaction_isolation')") { statement in
        try statement.step() ? statement.text(0) : ""
      }
    }
    #expect(try await database.write(level) == "serializable")
    #expect(try await database.write(key: "k", isolation: .readCommitted, level) == "read committed")
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let together = [
      try database.enqueueWrite(key: "k", isolation: .readCommitted, level), try database.enqueueWrite(key: "l", level),
    ]
    gate.open()
    try await holding.value()
    for pending in together { #expect(try await pending.value() == "serializable") }
    await database.close()
  }

  @Test("bodies that wait for each other in a circle are run again")
  func deadlock() async throws {
    let databases = try (0..<2).map { _ in try store.open { $0.isolation = .readCommitted } }
    try await counters(databases[0], 2)
    let gates = [Gate(), Gate()]
    let writes = try (0..<2).map { index in
      try databases[index].enqueueWrite { connection in
        try connection.execute("UPDATE value SET number = number + 1 WHERE id = \(index)")
        gates[index].pass()
        try connection.execute("UPDATE value SET number = number + 1 WHERE id = \(1 - index)")
      }
    }
    for gate in gates { await gate.waitUntilEntered() }
    for gate in gates { gate.open() }
    for write in writes { try await write.value() }
    #expect(try await databases[0].read { try $0.number("SELECT min(number) FROM value") } == 2)
    for database in databases { await database.close() }
  }

  @Test("of bodies with the same key one runs at a time, whichever replica it is on; others don't wait for it")
  func keys() async throws {
    let databases = try (0..<2).map { _ in try store.open { $0.isolation = .readCommitted } }
    let gate = Gate()
    let holding = try databases[0].enqueueWrite(key: "order 1") { connection in
      try connection.insertNote("first")
      gate.pass()
    }
    await gate.waitUntilEntered()
    try await databases[1].write(key: "order 2") { try $0.insertNote("meanwhile") }
    let waiting = try databases[1].enqueueWrite(key: "order 1") { try $0.notes() }
    gate.open()
    try await holding.value()
    #expect(try await waiting.value().contains("first"), "it saw what the body before it had committed")
    for database in databases { await database.close() }
  }

  @Test(
    "a process that is frozen has keys only within a transaction, which the server can end",
    arguments: [Isolation.readCommitted, .serializable])
  func keyOfTransaction(isolation: Isolation) async throws {
    let database = try store.open()
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    try await database.write(key: "order 1", isolation: isolation) { connection in
      #expect(try connection.number(locks) == 1)
      try connection.execute("SELECT pg_advisory_unlock_all()")
      #expect(try connection.number(locks) == 1, "the session has none")
    }
    #expect(try await database.write { try $0.number(locks) } == 0)
    await database.close()
  }

  @Test("a body of which the server hears nothing for seconds is ended for the others, and run anew when it goes on")
  func frozen() async throws {
    #expect(DatabaseOptions().silenceTimeout <= .seconds(5), "as long as others wait for a key")
    let database = try store.open { $0.silenceTimeout = .milliseconds(100) }
    let other = try store.open()
    let runs = Lock(0)
    let gate = Gate()
    let writing = try database.enqueueWrite(key: "k") { connection in
      runs.withLock { $0 += 1 }
      try connection.insertNote("frozen")
      gate.pass()
    }
    await gate.waitUntilEntered()
    try await other.write(key: "k") { try $0.insertNote("other") }
    gate.open()
    try await writing.value()
    #expect(runs.withLock { $0 } == 2)
    #expect(try await other.read { try $0.notes() } == ["other", "frozen"])
    for database in [database, other] { await database.close() }
  }

  @Test("a key that another replica keeps fails the write as locked, within its time, and the store goes on")
  func keyTaken() async throws {
    let holder = try store.open()
    let waiter = try store.open { $0.busyTimeout = .milliseconds(50) }
    let gate = Gate()
    let holding = try holder.enqueueWrite(key: "k") { _ in gate.pass() }
    await gate.waitUntilEntered()
    let error = await #expect(throws: StorageError.self) {
      try await waiter.write(key: "k") { try $0.insertNote("no") }
    }
    #expect(error?.kind == .locked)
    gate.open()
    try await holding.value()
    try await waiter.write(key: "k") { try $0.insertNote("yes") }
    #expect(try await holder.read { try $0.notes() } == ["yes"])
    await holder.close()
    await waiter.close()
  }

  @Test("the bodies of a commit are ordered by key, those of a key and those of none as they came")
  func order() async throws {
    let database = try store.open()
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let keys = ["b", "a", nil, "b", "a", nil]
    let writes = try keys.enumerated().map { index, key in
      try database.enqueueWrite(key: key) { try $0.insertNote("\(key ?? "none") \(index)") }
    }
    gate.open()
    try await holding.value()
    for write in writes { try await write.value() }
    #expect(try await database.read { try $0.notes() } == ["none 2", "none 5", "a 1", "a 4", "b 0", "b 3"])
    await database.close()
  }

  @Test("replicas whose batches go for the same keys in any order all come through")
  func manyKeys() async throws {
    let databases = try (0..<3).map { _ in try store.open { $0.isolation = .readCommitted } }
    try await counters(databases[0], 10)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<300 {
        let id = index * 7 % 10
        group.addTask {
          try await databases[index % 3].write(key: "\(id)") { connection in
            let number = try connection.number("SELECT number FROM value WHERE id = \(id)")
            try connection.execute("UPDATE value SET number = \(number + 1) WHERE id = \(id)")
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await databases[0].read { try $0.number("SELECT min(number) + max(number) FROM value") } == 60)
    for database in databases { await database.close() }
  }
}
