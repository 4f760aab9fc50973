import TestSupport
import Testing

@testable import Storage

/// Ids of messages come from no sequence on PostgreSQL, and are what a sequence's were: unique, and in the order of commits for
/// each key.
@Suite("Ids of an outbox's messages", .timeLimit(.minutes(2)))
struct OutboxNumberTests {
  let outbox = Outbox(service: "tests")
  static let schema = OutboxTests.schema

  private func rows(_ database: Database) async throws -> [OutboxRow] {
    let outbox = outbox
    return try await database.read {
      try outbox.rows($0, after: 0, room: OutboxTests.everything, except: { _ in false })
    }
  }

  private func bodies(_ rows: [OutboxRow], of key: String) -> [String] {
    rows.filter { $0.message.key == key }.map { String(decoding: $0.message.body, as: UTF8.self) }
  }

  @Test("messages that are added together are in order within each key, whichever way", arguments: TestEngine.allCases)
  func together(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open(Self.schema)
    let outbox = outbox
    let messages = (0..<300).map { OutboxTests.message("\($0)", key: ["a", "b", "c", ""][$0 % 4]) }
    let ids = try await database.write { connection in
      try outbox.addAll(connection, Array(messages[0..<150]))
      let ids = try outbox.add(connection, Array(messages[150...]))
      #expect(try outbox.add(connection, []) == [])
      try outbox.addAll(connection, [])
      return ids
    }
    let found = try await rows(database)
    for (place, key) in ["a", "b", "c"].enumerated() {
      #expect(bodies(found, of: key) == stride(from: place, to: 300, by: 4).map { "\($0)" })
    }
    #expect(found.count == 300 && Set(found.map(\.deliveryID)).isSuperset(of: ids) && Set(ids).count == 150)
    await database.close()
  }

  @Test("what replicas add for a key at the same time is in the order of their commits")
  func commits() async throws {
    let store = try TemporaryStore(.postgresql)
    let databases = try (0..<3).map { _ in try store.open(Self.schema) { $0.maximumConflicts = 1_000 } }
    let outbox = outbox
    try await databases[0].write { connection in
      try connection.execute("INSERT INTO value (id, number) VALUES (1, 0)")
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (replica, database) in databases.enumerated() {
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<8 {
              try await database.write { connection in
                let number = try connection.withStatement("UPDATE value SET number = number + 1 RETURNING number") {
                  statement in
                  _ = try statement.step()
                  return statement.integer(0)
                }
                try outbox.add(connection, OutboxTests.message("\(number)", key: "k"))
                try outbox.add(connection, OutboxTests.message("\(replica)", key: ""))
              }
            }
          }
        }
      }
      try await group.waitForAll()
    }
    let found = try await rows(databases[0])
    #expect(bodies(found, of: "k") == (1...96).map { "\($0)" })
    #expect(found.count == 192 && Set(found.map(\.id)).count == 192)
    for database in databases { await database.close() }
  }

  @Test("a clock that goes back does not let a message overtake one of its key, nor take its id")
  func clock() async throws {
    let database = try TemporaryStore(.postgresql).open(Self.schema)
    let outbox = outbox
    let ids = try await database.write { connection in
      let first = try outbox.add(connection, OutboxTests.message("1"))
      // As if an hour had passed since.
      try connection.execute("UPDATE outbox_number SET last_number = last_number + 3600000")
      return try [first] + outbox.add(connection, [OutboxTests.message("2"), OutboxTests.message("3")])
    }
    let found = try await rows(database)
    #expect(bodies(found, of: "k") == ["1", "2", "3"] && found.map(\.deliveryID) == ids)
    #expect(found.map { $0.id % Outbox.buckets } == [Int64](repeating: Outbox.bucket(of: "k"), count: 3))
    await database.close()
  }

  @Test("messages of before an upgrade keep their ids, and the next of their key comes behind them")
  func upgrade() async throws {
    let store = try TemporaryStore(.postgresql)
    let outbox = outbox
    let old = try store.open([Outbox.migration, Outbox.refusedMigration])
    try await old.write { connection in
      for number in 1...20 {
        try connection.execute(
          """
          INSERT INTO outbox (method, message_key, route, body, created_at)
          VALUES ('a.b', 'k\(number % 2)', 2, convert_to('\(number)', 'UTF8'), 5)
          """)
      }
      try outbox.refuse(connection, 20, reason: "no")
    }
    let before = try await rows(old)
    await old.close()
    let database = try store.open([Outbox.migration, Outbox.refusedMigration, Outbox.numberMigration])
    #expect(try await rows(database) == before && before.map(\.id) == Array(1...19))
    let retried = try await database.write { connection in
      try outbox.add(connection, OutboxTests.message("21", key: "k1"))
      return try outbox.retryRefused(connection, id: 20, by: "anna")
    }
    let found = try await rows(database)
    #expect(found.prefix(19) == before[...] && found.map(\.deliveryID).contains(retried ?? ""))
    #expect(bodies(found, of: "k1").last == "21" && bodies(found, of: "k0").last == "20")
    await database.close()
  }
}
