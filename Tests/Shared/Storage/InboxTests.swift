import TestSupport
import Testing

@testable import Storage

@Suite("Inbox")
struct InboxTests {
  static let schema = TemporaryStore.schema + [Inbox.migration, Inbox.keyMigration]
  static let day: Int64 = 24 * 3_600 * 1_000_000_000

  private func open(_ store: TemporaryStore) throws -> Database { try store.open(Self.schema) }

  static func delivery(
    _ body: String = "{}", id: String = "\"d-1\"", method: String = "m", replay: UInt32 = 0
  ) -> Delivery {
    Delivery(id: id, method: method, replay: replay, body: Array(body.utf8))
  }

  /// Notes a line, and answers it.
  static func consume(
    _ database: Database, _ delivery: Delivery, _ line: String, now: Int64 = 100 * day
  ) async throws -> Inbox.Outcome<String> {
    try await database.write { connection in
      try Inbox.once(connection, delivery, now: now) { connection in
        try connection.insertNote(line)
        return (line, Array("result of \(line)".utf8))
      }
    }
  }

  private static func count(_ database: Database) async throws -> Int {
    try await database.read { connection in
      try connection.withStatement("SELECT count(*) FROM inbox") { statement throws(StorageError) in
        try statement.step() ? Int(statement.integer(0)) : 0
      }
    }
  }

  @Test(
    "the same delivery has one effect, also on a store that was opened anew, and is answered alike",
    arguments: TestEngine.allCases)
  func once(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let first = try open(store)
    guard case .done("first", let result) = try await Self.consume(first, Self.delivery(), "first") else {
      Issue.record("the first one was taken for known")
      return
    }
    await first.close()
    let second = try open(store)
    guard case .known(result) = try await Self.consume(second, Self.delivery(), "second") else {
      Issue.record("the second one had its effect, or another answer")
      return
    }
    #expect(result == Array("result of first".utf8))
    #expect(try await second.read { try $0.notes() } == ["first"])
    await second.close()
  }

  @Test(
    "what differs in its id, method, replay or body is another delivery",
    arguments: TestEngine.allCases,
    [
      delivery(id: "\"d-2\""), delivery(id: "1"), delivery(method: "n"), delivery(replay: 1), delivery("{ }"),
      delivery("m0{}", method: ""), delivery("", method: "m0{}"),
      Delivery(requestID: "\"d-1\"", method: "m", content: Array("{}".utf8)),
    ])
  func different(engine: TestEngine, other: Delivery) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    _ = try await Self.consume(database, Self.delivery(), "first")
    _ = try await Self.consume(database, other, "second")
    #expect(try await database.read { try $0.notes() } == ["first", "second"])
    await database.close()
  }

  @Test("an effect that fails leaves no note: the delivery may come again", arguments: TestEngine.allCases)
  func failure(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    await #expect(throws: Refusal()) {
      try await database.write { connection in
        _ = try Inbox.once(connection, Self.delivery()) { connection -> (Int, [UInt8]) in
          try connection.insertNote("half")
          throw Refusal()
        }
      }
    }
    #expect(try await Self.count(database) == 0)
    _ = try await Self.consume(database, Self.delivery(), "whole")
    #expect(try await database.read { try $0.notes() } == ["whole"])
    await database.close()
  }

  @Test(
    "of deliveries that replicas get at the same time each has one effect, and all get its answer",
    arguments: TestEngine.allCases)
  func concurrent(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let replicas = try (0..<3).map { _ in try open(store) }
    let answers = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
      for (replica, database) in replicas.enumerated() {
        for number in 0..<40 {
          group.addTask {
            let outcome = try await Self.consume(database, Self.delivery(id: "\(number)"), "\(number) by \(replica)")
            return (number, outcome.result)
          }
        }
      }
      return try await group.reduce(into: [Int: Set<[UInt8]>]()) { $0[$1.0, default: []].insert($1.1) }
    }
    #expect(answers.count == 40)
    #expect(answers.values.allSatisfy { $0.count == 1 })
    #expect(try await replicas[0].read { try $0.notes() }.count == 40)
    for database in replicas { await database.close() }
  }

  @Test("a request's id with another content is refused and changes nothing", arguments: TestEngine.allCases)
  func requests(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    let content = Array("five".utf8)
    _ = try await Self.consume(database, Delivery(requestID: "r", method: "m", content: content), "first")
    let again = try await Self.consume(database, Delivery(requestID: "r", method: "m", content: content), "second")
    #expect(again.result == Array("result of first".utf8))
    await #expect(throws: RequestIDReused()) {
      _ = try await Self.consume(database, Delivery(requestID: "r", method: "m", content: [6]), "third")
    }
    _ = try await Self.consume(database, Delivery(requestID: "r", method: "n", content: [6]), "fourth")
    #expect(try await database.read { try $0.notes() } == ["first", "fourth"])
    await database.close()
  }

  @Test(
    "notes older than 60 days go, a bounded number at a time; a younger one stays known", arguments: TestEngine.allCases
  )
  func retention(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    for number in 0..<(Inbox.removalLimit + 20) {
      _ = try database.enqueueWrite { connection in
        try Inbox.once(connection, Self.delivery(id: "old \(number)"), now: 39 * Self.day) { _ in (0, []) }
      }
    }
    _ = try await Self.consume(database, Self.delivery(id: "young"), "young", now: 41 * Self.day)
    let removed = try await (0..<3).asyncMap { _ in
      try await database.write { try Inbox.removeOld($0, now: 100 * Self.day) }
    }
    #expect(removed == [Inbox.removalLimit, 20, 0])
    guard case .known = try await Self.consume(database, Self.delivery(id: "young"), "again") else {
      Issue.record("a note of 59 days was forgotten")
      return
    }
    await database.close()
  }

  @Test("what was noted before an upgrade stays known, and goes in its time", arguments: TestEngine.allCases)
  func upgrade(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let before = try store.open(TemporaryStore.schema + [Inbox.migration])
    for (day, id) in [(3, "young"), (1, "old"), (2, "older than 60 days, too")] {
      _ = try await Self.consume(before, Self.delivery(id: id), id, now: Int64(day) * Self.day)
    }
    await before.close()
    let database = try open(store)
    #expect(try await database.write { try Inbox.removeOld($0, now: 62 * Self.day + 1) } == 2)
    guard case .known(let result) = try await Self.consume(database, Self.delivery(id: "young"), "again") else {
      Issue.record("a note was forgotten")
      return
    }
    #expect(result == Array("result of young".utf8))
    guard case .done = try await Self.consume(database, Self.delivery(id: "old"), "again") else {
      Issue.record("a note was kept")
      return
    }
    await database.close()
  }

  @Test("a note from the future doesn't outlive the others, nor keeps them", arguments: TestEngine.allCases)
  func future(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try open(store)
    _ = try await Self.consume(database, Self.delivery(id: "future"), "a", now: 9_000 * Self.day)
    _ = try await Self.consume(database, Self.delivery(id: "old"), "b", now: 1 * Self.day)
    #expect(try await database.write { try Inbox.removeOld($0, now: 100 * Self.day) } == 1)
    #expect(try await database.write { try Inbox.removeOld($0, now: 159 * Self.day) } == 0)
    #expect(try await database.write { try Inbox.removeOld($0, now: 161 * Self.day) } == 1)
    await database.close()
  }
}

extension Sequence where Self: Sendable {
  /// One after the other.
  func asyncMap<Result>(_ body: (Element) async throws -> Result) async rethrows -> [Result] {
    var results: [Result] = []
    for element in self { results.append(try await body(element)) }
    return results
  }
}
