import Storage
import TestSupport
import Testing

@Suite("Refused messages of an outbox")
struct RefusedOutboxTests {
  private let outbox = Outbox(service: "tests")
  private let schema = [Outbox.migration, Outbox.numberMigration, Outbox.refusedMigration]

  /// Adds messages with these bodies, and lets the gateway have refused those that begin with "bad".
  private func add(_ bodies: [String], to database: Database, at time: Int64 = 5) async throws {
    let outbox = outbox
    for body in bodies {
      let message = OutboxMessage(method: "a.b", key: "k", route: .events, body: Array(body.utf8))
      let id = try await database.write { try outbox.add($0, message, now: time) }
      guard body.hasPrefix("bad") else { continue }
      try await database.write { connection in
        let row = try #require(try outbox.row(of: id, connection))
        try outbox.refuse(connection, row, reason: "no", now: time + 1)
      }
    }
  }

  private func bodies(_ database: Database) async throws -> [String] {
    let outbox = outbox
    return try await database.read { connection in
      try outbox.rows(connection, after: 0, room: .init(rows: 100, bytes: .max), except: { _ in false })
        .map { String(decoding: $0.message.body, as: UTF8.self) }
    }
  }

  private func refused(_ database: Database, showsHandled: Bool = false) async throws -> [RefusedRow] {
    let outbox = outbox
    return try await database.read {
      try outbox.refused($0, after: 0, limit: 100, showsHandled: showsHandled)
    }
  }

  @Test(
    "what an earlier version has put aside is there, for nobody has done anything about it",
    arguments: TestEngine.allCases)
  func migration(engine: TestEngine) async throws {
    let store = try TestStore(engine)
    let before = try store.open([Outbox.migration, Outbox.numberMigration])
    try await add(["bad 1", "2"], to: before)
    await before.close()
    let database = try store.open(schema)
    let rows = try await refused(database)
    #expect(rows.map(\.state) == [.open] && rows[0].handledAt == nil)
    #expect(rows[0].deliveryID.hasPrefix("tests-") && rows[0].deliveryID.hasSuffix("-\(rows[0].id)"))
    #expect([rows[0].method, rows[0].key, rows[0].reason] == ["a.b", "k", "no"])
    #expect([rows[0].createdAt, rows[0].refusedAt, rows[0].bytes] == [5, 6, 5] && rows[0].route == .events)
    await database.close()
  }

  @Test(
    "a retry puts the message behind the others once, under a new id; a discard keeps it aside",
    arguments: TestEngine.allCases)
  func handling(engine: TestEngine) async throws {
    let database = try TestStore(engine).open(schema)
    let outbox = outbox
    try await add(["bad 1", "2", "bad 3"], to: database)
    let ids = try await refused(database).map(\.id)
    let retried = try await database.write { try outbox.retryRefused($0, id: ids[0], by: "anna", now: 7) }
    #expect(try await bodies(database) == ["2", "bad 1"])
    #expect(try await database.write { try outbox.retryRefused($0, id: ids[0], by: "anna") } == nil)
    #expect(try await database.write { try !outbox.discardRefused($0, id: ids[0], reason: "no", by: "bob") })
    #expect(try await database.write { try outbox.discardRefused($0, id: ids[1], reason: "old", by: "bob", now: 8) })
    #expect(try await database.write { try outbox.retryRefused($0, id: ids[1], by: "anna") } == nil)
    #expect(try await bodies(database) == ["2", "bad 1"])
    #expect(try await refused(database).isEmpty)
    let rows = try await refused(database, showsHandled: true)
    #expect(rows.map(\.state) == [.retried, .discarded])
    #expect(rows.map(\.handledBy) == ["anna", "bob"] && rows.map(\.handledAt) == [7, 8])
    #expect(rows.map(\.outcome) == [retried, "old"])
    let row = try #require(try await database.read { try outbox.row(of: retried ?? "", $0) })
    #expect(row > ids[1])
    #expect(try await database.read { try outbox.refused($0, id: ids[1])?.body } == Array("bad 3".utf8))
    await database.close()
  }

  @Test(
    "all are retried in their order, a transaction's worth at a time; what is refused meanwhile is not",
    arguments: TestEngine.allCases)
  func all(engine: TestEngine) async throws {
    let database = try TestStore(engine).open(schema)
    let outbox = outbox
    try await add((1...70).map { "bad \($0)" }, to: database)
    let last = try #require(try await database.read { try outbox.lastOpenRefused($0) })
    try await add(["bad later"], to: database)
    var counts: [Int] = []
    repeat {
      counts.append(try await database.write { try outbox.retryRefused($0, through: last, by: "anna").count })
    } while counts.last != 0
    #expect(counts == [64, 6, 0])
    #expect(try await bodies(database) == (1...70).map { "bad \($0)" })
    #expect(try await refused(database).map { $0.id > last } == [true])
    await database.close()
  }

  @Test("an outbox says how much waits, since when, and how much was refused", arguments: TestEngine.allCases)
  func depth(engine: TestEngine) async throws {
    let database = try TestStore(engine).open(schema)
    let outbox = outbox
    #expect(
      try await database.read { try outbox.depth($0) }
        == Outbox.Depth(waiting: 0, isMore: false, oldestCreatedAt: nil, refused: 0))
    try await add(["bad", "1"], to: database, at: 30)
    try await add(["2"], to: database, at: 20)
    #expect(
      try await database.read { try outbox.depth($0) }
        == Outbox.Depth(waiting: 2, isMore: false, oldestCreatedAt: 30, refused: 1))
    let message = OutboxMessage(method: "a.b", key: "", route: .events, body: [])
    try await database.write(weight: Outbox.countLimit) { connection in
      for _ in 0..<(Outbox.countLimit - 1) { try outbox.add(connection, message) }
    }
    let full = try await database.read { try outbox.depth($0) }
    #expect(full.waiting == Outbox.countLimit && full.isMore)
    await database.close()
  }

  @Test(
    "an id of another service or store, or one that is none, is nobody's",
    arguments: ["tests-0000000000000000-1", "other-1", "", "tests", "tests--1"])
  func foreign(id: String) async throws {
    let database = try TestStore().open(schema)
    let outbox = outbox
    #expect(try await database.read { try outbox.row(of: id, $0) } == nil)
    let own = try await database.write {
      try outbox.add($0, OutboxMessage(method: "a.b", key: "", route: .events, body: []))
    }
    #expect(try await database.read { try outbox.row(of: own, $0) } == 1)
    for wrong in [own + "x", own.replacing("-1", with: "-01"), own.replacing("-1", with: "--1")] {
      #expect(try await database.read { try outbox.row(of: wrong, $0) } == nil)
    }
    await database.close()
  }
}
