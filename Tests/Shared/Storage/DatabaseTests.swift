import Glibc
import Storage
import TestSupport
import Testing

@Suite("Database")
struct DatabaseTests {
  @Test("a schema newer than the program is refused", arguments: TestEngine.allCases)
  func newerSchema(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let newer = TemporaryStore.schema + [Migration("more", ["CREATE TABLE more (id INTEGER)"])]
    await (try store.open(newer)).close()
    let error = #expect(throws: StorageError.self) { try store.open() }
    #expect(error?.kind == .newerSchema)
    #expect(error?.message.hasSuffix("has schema version 4, this program knows up to 3") == true)
  }

  @Test(
    "every older schema is brought up to date and keeps its rows", arguments: TestEngine.allCases,
    1..<TemporaryStore.schema.count)
  func migrates(engine: TestEngine, version: Int) async throws {
    let store = try TemporaryStore(engine)
    let old = try store.open(Array(TemporaryStore.schema.prefix(version)))
    try await old.write { try $0.insertNote("old") }
    await old.close()
    let new = try store.open()
    #expect(try await new.read { try $0.notes() } == ["old"])
    try await new.write {
      try $0.execute("INSERT INTO link (id) VALUES (1)")
      try $0.execute("INSERT INTO value (id) VALUES (1)")
    }
    await new.close()
  }

  @Test("a migration that fails changes nothing and names itself", arguments: TestEngine.allCases)
  func failedMigration(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    await (try store.open()).close()
    let half = "CREATE TABLE half (id INTEGER)"
    let broken = TemporaryStore.schema + [Migration("broken", [half, "CREATE TABLE note (id INTEGER)"])]
    let error = #expect(throws: StorageError.self) { try store.open(broken) }
    #expect(error?.message.contains("schema version 4 (broken)") == true)
    #expect(error?.statement == "CREATE TABLE note (id INTEGER)")
    let database = try store.open(TemporaryStore.schema + [Migration("mended", [half])])
    try await database.write { try $0.execute("INSERT INTO half (id) VALUES (1)") }
    await database.close()
  }

  @Test("a reader cannot write", arguments: TestEngine.allCases)
  func readersDoNotWrite(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    let error = await #expect(throws: StorageError.self) { try await database.read { try $0.insertNote("no") } }
    #expect(error?.statement == "INSERT INTO note (body) VALUES (?1)")
    #expect(try await database.read { try $0.notes() }.isEmpty)
    await database.close()
  }

  @Test("reads beyond the queue's limit are refused", arguments: TestEngine.allCases)
  func boundedReads(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open {
      $0.readers = 1
      $0.maximumWaitingReads = 1
    }
    let gate = Gate()
    async let held: Void = database.read { _ in gate.pass() }
    await gate.waitUntilEntered()
    // Whichever of the two comes first waits; the other is refused, and then the gate may open.
    await withTaskGroup(of: StorageError.Kind?.self) { group in
      for _ in 0..<2 {
        group.addTask {
          do {
            _ = try await database.read { try $0.notes() }
            return nil
          } catch {
            gate.open()
            return (error as? StorageError)?.kind
          }
        }
      }
      var outcomes: [StorageError.Kind?] = []
      for await outcome in group { outcomes.append(outcome) }
      #expect(outcomes.count { $0 == .overloaded } == 1)
      #expect(outcomes.count { $0 == nil } == 1)
    }
    try await held
    await database.close()
  }

  @Test("all reads of a body see the same state", arguments: TestEngine.allCases)
  func sameState(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let gate = Gate()
    async let counts = database.read { connection in
      let before = try connection.number("SELECT count(*) FROM note")
      gate.pass()
      return (before, try connection.number("SELECT count(*) FROM note"))
    }
    await gate.waitUntilEntered()
    try await database.write { try $0.insertNote("meanwhile") }
    gate.open()
    #expect(try await counts == (0, 0))
    await database.close()
  }

  @Test(
    "a body that goes on after an error of the store fails with it and changes nothing", arguments: TestEngine.allCases)
  func swallowedError(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let error = await #expect(throws: StorageError.self) {
      try await database.write { connection in
        try connection.insertNote("before")
        _ = try? connection.execute("INSERT INTO note (body) VALUES (NULL)")
      }
    }
    #expect(error?.kind == .constraint)
    #expect(try await database.read { try $0.notes() }.isEmpty)
    await database.close()
  }
}
