import TestSupport
import Testing

@testable import Storage

@Suite("Outbox")
struct OutboxTests {
  let outbox = Outbox(service: "tests")
  static let schema = TemporaryStore.schema + [Outbox.migration, Outbox.refusedMigration, Outbox.numberMigration]
  static let everything = Outbox.Room(rows: 1_000, bytes: .max)

  private func open(_ store: TemporaryStore) throws -> Database { try store.open(Self.schema) }

  static func message(_ body: String = "{}", key: String = "k") -> OutboxMessage {
    OutboxMessage(method: "a.b", key: key, route: .delegate, body: Array(body.utf8))
  }

  private func add(_ database: Database, _ bodies: [String]) async throws -> [String] {
    let outbox = outbox
    return try await database.write { connection in
      try bodies.map { try outbox.add(connection, Self.message($0)) }
    }
  }

  private func rows(
    _ database: Database, after: Int64 = 0, room: Outbox.Room = everything, except known: Set<Int64> = []
  ) async throws -> [OutboxRow] {
    let outbox = outbox
    return try await database.read { try outbox.rows($0, after: after, room: room, except: known.contains) }
  }

  @Test("messages come out in their order, with ids that name service, store and row", arguments: TestEngine.allCases)
  func order(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let ids = try await add(database, ["1", "2", "3"])
    let rows = try await rows(database)
    #expect(rows.map(\.deliveryID) == ids)
    if engine == .sqlite { #expect(rows.map(\.id) == [1, 2, 3]) }
    #expect(rows.map(\.message) == ["1", "2", "3"].map { Self.message($0) })
    let parts = ids[0].split(separator: "-")
    #expect(parts.count == 3 && parts[0] == "tests" && parts[2] == "\(rows[0].id)")
    let storeID = parts[1]
    #expect(storeID.count == 16 && storeID.allSatisfy(\.isHexDigit))
    let other = try TemporaryStore(engine)
    let otherDatabase = try other.open(Self.schema)
    #expect(try await add(otherDatabase, ["1"]) != [ids[0]])
    for database in [database, otherDatabase] { await database.close() }
  }

  @Test("a change that fails takes its message with it", arguments: TestEngine.allCases)
  func rollback(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let outbox = outbox
    await #expect(throws: Refusal()) {
      try await database.write { connection in
        try outbox.add(connection, Self.message())
        throw Refusal()
      }
    }
    #expect(try await rows(database).isEmpty)
    await database.close()
  }

  @Test(
    "a row's id is never used again, also after the last row has gone and the store was opened anew",
    arguments: TestEngine.allCases)
  func idsGrow(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let outbox = outbox
    var seen: [String] = []
    for _ in 0..<3 {
      let database = try open(store)
      seen += try await add(database, ["1"])
      let ids = try await rows(database).map(\.id)
      try await database.write { try outbox.remove($0, ids) }
      #expect(try await rows(database).isEmpty)
      await database.close()
    }
    #expect(Set(seen).count == 3)
  }

  @Test(
    "no more is read than there is room for, but for the row that goes beyond, and nothing that is known",
    arguments: TestEngine.allCases)
  func room(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    _ = try await add(database, (0..<9).map { String(repeating: "x", count: $0 == 4 ? 1_000 : 10) })
    let ids = try await rows(database).map(\.id)
    #expect(try await rows(database, room: .init(rows: 3, bytes: .max)).map(\.id) == Array(ids[0..<3]))
    #expect(try await rows(database, room: .init(rows: 9, bytes: 25)).map(\.id) == Array(ids[0..<3]))
    #expect(try await rows(database, after: ids[2], room: .init(rows: 9, bytes: 20)).map(\.id) == Array(ids[3..<5]))
    #expect(
      try await rows(database, room: .init(rows: 3, bytes: .max), except: [ids[0], ids[2]]).map(\.id)
        == [ids[1], ids[3], ids[4]])
    #expect(try await rows(database, after: ids[8]).isEmpty)
    await database.close()
  }

  @Test("what the gateway refuses is put aside with the reason, and goes after 60 days", arguments: TestEngine.allCases)
  func refused(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let outbox = outbox
    let day: Int64 = 24 * 3_600 * 1_000_000_000
    _ = try await add(database, ["1", "2"])
    let ids = try await rows(database).map(\.id)
    for _ in 0..<2 { try await database.write { try outbox.refuse($0, ids[0], reason: "no method", now: 100 * day) } }
    #expect(try await rows(database).map(\.id) == [ids[1]])
    let aside = try await database.read { connection in
      try connection.withStatement("SELECT id, body, reason FROM outbox_refused") { statement throws(StorageError) in
        var rows: [String] = []
        while try statement.step() {
          let body = String(decoding: statement.blob(1), as: UTF8.self)
          rows.append("\(statement.integer(0)) \(body) \(statement.text(2))")
        }
        return rows
      }
    }
    #expect(aside == ["\(ids[0]) 1 no method"])
    #expect(try await database.write { try Outbox.removeOldRefused($0, now: 159 * day) } == 0)
    #expect(try await database.write { try Outbox.removeOldRefused($0, now: 161 * day) } == 1)
    await database.close()
  }

  @Test("a store that counts again gets other delivery ids, once for all of its rows", arguments: TestEngine.allCases)
  func renewal(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let outbox = outbox
    _ = try await add(database, ["1", "2"])
    let before = try await rows(database)
    let renewed = try await database.write { connection in try before.map { try outbox.renew(connection, $0) } }
    #expect(renewed.map(\.id) == before.map(\.id) && renewed.map(\.message) == before.map(\.message))
    #expect(Set((before + renewed).map(\.deliveryID)).count == 4)
    #expect(try await rows(database) == renewed)
    await database.close()
  }

  @Test("a message that could never reach the gateway is not taken", arguments: TestEngine.allCases)
  func limits(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let outbox = outbox
    func text(_ count: Int) -> String { String(repeating: "k", count: count) }
    let largest = OutboxMessage(
      method: text(Outbox.maximumMethodBytes), key: text(Outbox.maximumKeyBytes), route: .events,
      body: [UInt8](repeating: 32, count: Outbox.maximumBodyBytes))
    _ = try await database.write { try outbox.add($0, largest) }
    for message in [
      OutboxMessage(method: "a.b", key: "k", route: .events, body: largest.body + [32]),
      OutboxMessage(method: "a.b", key: text(Outbox.maximumKeyBytes + 1), route: .events, body: []),
      OutboxMessage(method: text(Outbox.maximumMethodBytes + 1), key: "k", route: .events, body: []),
    ] {
      let error = await #expect(throws: StorageError.self) { try await database.write { try outbox.add($0, message) } }
      #expect(error?.kind == .constraint)
    }
    #expect(try await rows(database).count == 1)
    await database.close()
  }

  @Test("one replica may relay at a time, until its time is over or it gives it back", arguments: TestEngine.allCases)
  func lease(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let outbox = outbox
    let second: Int64 = 1_000_000_000
    func lease(_ holder: String, at now: Int64) async throws -> Bool {
      try await database.write { try outbox.lease($0, to: holder, for: .seconds(5), now: now * second) }
    }
    func awaits(_ holder: String, at now: Int64) async throws -> Bool {
      try await database.read { try outbox.awaits(holder, $0, for: .seconds(5), now: now * second) }
    }
    #expect(try await !awaits("a", at: 100), "nothing is there")
    _ = try await add(database, ["1"])
    #expect(try await awaits("a", at: 100))
    #expect(try await lease("a", at: 100))
    #expect(try await !lease("b", at: 105))
    #expect(try await !awaits("b", at: 105))
    #expect(try await lease("a", at: 104))
    #expect(try await !lease("b", at: 103), "a's was given by a clock that may be that much ahead")
    #expect(try await !awaits("b", at: 103))
    #expect(try await !lease("b", at: 109))
    #expect(try await awaits("b", at: 110))
    #expect(try await lease("b", at: 110))
    #expect(try await lease("a", at: 50), "b's was given while the clock was ahead")
    try await database.write { try outbox.release($0, by: "b") }
    #expect(try await !lease("b", at: 51))
    try await database.write { try outbox.release($0, by: "a") }
    #expect(try await lease("b", at: 51))
    await database.close()
  }
}
