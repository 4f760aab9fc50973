import Glibc
import Storage
import TestSupport
import Testing

@Suite("What a server says")
struct ServerErrorTests {
  @Test(
    "each of its errors becomes one that callers can act on, with its code and a remedy where there is one",
    arguments: [
      ("53100", StorageError.Kind.full, true), ("55P03", .locked, true), ("57014", .timedOut, true),
      ("23514", .constraint, false), ("25006", .cannotOpen, true), ("42501", .cannotOpen, true),
      ("XX001", .corrupt, true), ("53300", .unavailable, true), ("22012", .other, false),
    ])
  func kinds(state: String, kind: StorageError.Kind, hasRemedy: Bool) async throws {
    let database = try TemporaryStore(.postgresql).open { $0.outageTimeout = .zero }
    let error = await #expect(throws: StorageError.self) {
      try await database.write {
        try $0.execute("DO $$ BEGIN RAISE EXCEPTION 'says the server' USING ERRCODE = '\(state)'; END $$")
      }
    }
    #expect(error?.kind == kind)
    #expect(error?.sqlState == state)
    #expect(error?.message.contains("says the server") == true)
    #expect((error?.remedy != nil) == hasRemedy)
    #expect(error?.description.contains("SQLSTATE \(state)") == true)
    await database.close()
  }

  @Test("a statement that runs too long is ended, and fails its body only")
  func statementTimeout() async throws {
    let database = try TemporaryStore(.postgresql).open { $0.statementTimeout = .milliseconds(50) }
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let good = try database.enqueueWrite { try $0.insertNote("good") }
    let slow = try database.enqueueWrite { try $0.execute("SELECT pg_sleep(60)") }
    gate.open()
    try await holding.value()
    try await good.value()
    let error = await #expect(throws: StorageError.self) { try await slow.value() }
    #expect(error?.kind == .timedOut)
    #expect(try await database.read { try $0.notes() } == ["good"])
    await database.close()
  }

  @Test("writes are durable though the database is set up to be careless")
  func synchronousCommit() async throws {
    let url = String(cString: try #require(getenv("TEST_POSTGRESQL_URL")))
    let careless = try StoreLocation(url: url + "&options=-csynchronous_commit%3Doff")
    let database = try Database(service: try TestStore(.postgresql).service, at: careless, migrations: [])
    let setting = try await database.write { connection in
      try connection.withStatement("SELECT current_setting('synchronous_commit')") { statement in
        _ = try statement.step()
        return statement.text(0)
      }
    }
    #expect(setting == "on")
    await database.close()
  }

  @Test("a wrong password is refused without showing it")
  func wrongPassword() throws {
    let url = String(cString: try #require(getenv("TEST_POSTGRESQL_URL")))
    let wrong = try StoreLocation(url: url.replacing("//oms@", with: "//guarded:swordfish@"))
    let error = #expect(throws: StorageError.self) { try Database(service: "test", at: wrong, migrations: []) }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.message.contains("guarded") == true)
    #expect(error?.description.contains("swordfish") == false)
  }

  @Test("a database that is not there is named, with what to do")
  func noDatabase() throws {
    let url = String(cString: try #require(getenv("TEST_POSTGRESQL_URL")))
    let wrong = try StoreLocation(url: url.replacing("/oms?", with: "/nowhere?"))
    let error = #expect(throws: StorageError.self) { try Database(service: "test", at: wrong, migrations: []) }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.message.contains("\"nowhere\"") == true)
    #expect(error?.remedy?.contains("createdb") == true)
  }

  @Test("a role that may not make the schema hears what it lacks")
  func noRights() throws {
    let url = String(cString: try #require(getenv("TEST_POSTGRESQL_URL")))
    let guarded = try StoreLocation(url: url.replacing("//oms@", with: "//guarded:open%20sesame@"))
    let error = #expect(throws: StorageError.self) {
      try Database(service: try TestStore(.postgresql).service, at: guarded, migrations: TemporaryStore.schema)
    }
    #expect(error?.kind == .cannotOpen)
    #expect(error?.sqlState == "42501")
  }
}
