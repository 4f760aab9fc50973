import Storage
import TestSupport
import Testing

@Suite("Statements")
struct StatementTests {
  @Test(
    "texts come back as they went in", arguments: TestEngine.allCases,
    ["", "a", "Straße 🛒", "e\u{301}", "é", "?1 '$1'"])
  func texts(engine: TestEngine, text: String) async throws {
    let database = try TemporaryStore(engine).open()
    try await database.write { try $0.insertNote(text) }
    let read = try await database.read { try $0.notes() }
    // Strings that Unicode holds equal are different SKUs: compare bytes.
    #expect(read.map { Array($0.utf8) } == [Array(text.utf8)])
    await database.close()
  }

  @Test("a statement is prepared once, however many others have run before", arguments: TestEngine.allCases)
  func preparedOnce(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    // More than are kept, as migrations are. A session of PostgreSQL prepares no more than that.
    let others = engine == .sqlite ? 300 : 200
    let sql = "SELECT 'again'"
    let look =
      engine == .sqlite
      ? "SELECT run FROM sqlite_stmt WHERE sql = ?1"
      : "SELECT count(*) FROM pg_prepared_statements WHERE statement = ?1"
    let found = try await database.write { connection in
      func answer(_ sql: String, _ parameter: String? = nil) throws -> Int64? {
        try connection.withStatement(sql) { statement in
          if let parameter { try statement.bind(parameter, at: 1) }
          return try statement.step() && parameter != nil ? statement.integer(0) : nil
        }
      }
      for number in 0..<others { _ = try answer("SELECT \(number)") }
      for _ in 0..<3 { _ = try answer(sql) }
      return try answer(look, sql)
    }
    #expect(found == (engine == .sqlite ? 3 : 1), "SQLite counts how often it ran, PostgreSQL has it once")
    await database.close()
  }

  @Test("a text with a NUL is kept by SQLite, and refused by PostgreSQL with the reason")
  func nul() async throws {
    let text = "with\u{0}NUL"
    let file = try TemporaryStore(.sqlite).open()
    try await file.write { try $0.insertNote(text) }
    #expect(try await file.read { try $0.notes() } == [text])
    await file.close()
    let server = try TemporaryStore(.postgresql).open()
    let error = await #expect(throws: StorageError.self) { try await server.write { try $0.insertNote(text) } }
    #expect(error?.kind == .constraint)
    #expect(error?.message.contains("NUL") == true)
    await server.close()
  }

  @Test(
    "PostgreSQL takes lists as arrays",
    arguments: [[(text: String, number: Int64)]](
      [[], [("a", 1)], [("", .min), ("Straße 🛒", .max), ("e\u{301}", -1), ("{a,\"b\"}", 0)]]))
  func arrays(list: [(text: String, number: Int64)]) async throws {
    let server = try TemporaryStore(.postgresql).open()
    let read = try await server.read { connection in
      try connection.withStatement("SELECT text, number FROM unnest(?2, ?1) AS given (text, number)") { statement in
        try statement.bind(array: list.map(\.number), at: 1)
        try statement.bind(array: list.map(\.text), at: 2)
        var read: [(text: String, number: Int64)] = []
        while try statement.step() { read.append((statement.text(0), statement.integer(1))) }
        return read
      }
    }
    #expect(read.map { Array($0.text.utf8) } == list.map { Array($0.text.utf8) })
    #expect(read.map(\.number) == list.map(\.number))
    let error = await #expect(throws: StorageError.self) {
      try await server.read { connection in
        try connection.withStatement("SELECT * FROM unnest(?1)") { try $0.bind(array: ["a\u{0}"], at: 1) }
      }
    }
    #expect(error?.message.contains("NUL") == true)
    await server.close()
  }

  struct Row: Sendable, Equatable {
    var number: Int64?
    var letters: String?
    var bytes: [UInt8]?
  }

  @Test(
    "values of all types come back as they went in", arguments: TestEngine.allCases,
    [
      Row(number: 0, letters: "a", bytes: [0, 1, 255]), Row(number: .max, letters: "", bytes: []),
      Row(
        number: .min, letters: String(repeating: "ü", count: 100_000), bytes: [UInt8](repeating: 7, count: 1_000_000)),
      Row(), Row(number: -1),
    ])
  func values(engine: TestEngine, row: Row) async throws {
    let database = try TemporaryStore(engine).open()
    try await database.write { connection in
      try connection.withStatement("INSERT INTO value (id, number, letters, bytes) VALUES (1, ?3, ?1, ?2)") {
        statement throws(StorageError) in
        try statement.bind(row.number, at: 3)
        if let letters = row.letters { try statement.bind(letters, at: 1) } else { try statement.bindNull(at: 1) }
        if let bytes = row.bytes { try statement.bind(bytes, at: 2) } else { try statement.bindNull(at: 2) }
        #expect(try statement.run() == 1)
      }
    }
    let read = try await database.read { connection in
      try connection.withStatement("SELECT number, letters, bytes FROM value") { statement throws(StorageError) in
        _ = try statement.step()
        return Row(
          number: statement.isNull(0) ? nil : statement.integer(0),
          letters: statement.isNull(1) ? nil : statement.text(1), bytes: statement.isNull(2) ? nil : statement.blob(2))
      }
    }
    #expect(read == row)
    await database.close()
  }

  @Test(
    "one statement takes values and NULL in turn, and runs again after its last row", arguments: TestEngine.allCases)
  func rebinding(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    let numbers: [Int64?] = [nil, 5, nil, 7]
    try await database.write { connection in
      try connection.withStatement("INSERT INTO value (id, number) VALUES (?1, ?2)") { statement throws(StorageError) in
        for (index, number) in numbers.enumerated() {
          try statement.bind(Int64(index), at: 1)
          if let number { try statement.bind(number, at: 2) } else { try statement.bindNull(at: 2) }
          try statement.run()
        }
      }
    }
    let sums = try await database.read { connection in
      try connection.withStatement("SELECT sum(number), count(*), count(number) FROM value WHERE id >= ?1 OR ?1 < 0") {
        statement throws(StorageError) in
        var sums: [[Int64]] = []
        for least: Int64 in [-1, 3] {
          try statement.bind(least, at: 1)
          while try statement.step() {
            sums.append([statement.integer(0), statement.integer(1), statement.integer(2)])
          }
        }
        return sums
      }
    }
    #expect(sums == [[12, 4, 2], [7, 1, 1]])
    await database.close()
  }

  @Test("a body may run statements while it steps through another, the same one too", arguments: TestEngine.allCases)
  func nested(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    try await database.write { connection in
      for text in ["a", "b"] { try connection.insertNote(text) }
    }
    let pairs = try await database.read { connection in
      let sql = "SELECT body FROM note ORDER BY body"
      return try connection.withStatement(sql) { outer in
        var pairs: [String] = []
        while try outer.step() {
          try connection.withStatement(sql) { inner in
            while try inner.step() { pairs.append(outer.text(0) + inner.text(0)) }
          }
        }
        return pairs
      }
    }
    #expect(pairs == ["aa", "ab", "ba", "bb"])
    await database.close()
  }

  @Test("a statement that answers rows is not run without looking at them", arguments: TestEngine.allCases)
  func rowsAreNotIgnored(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    await #expect(throws: StorageError.self) {
      try await database.read { connection in try connection.withStatement("SELECT 1") { try $0.run() } }
    }
    await database.close()
  }

  @Test("a wrong statement is an error that shows it", arguments: TestEngine.allCases)
  func wrongStatement(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    let error = await #expect(throws: StorageError.self) {
      try await database.read { try $0.number("SELECT missing FROM note") }
    }
    #expect(error?.kind == .other)
    #expect(error?.statement == "SELECT missing FROM note")
    #expect(error?.message.contains("missing") == true)
    await database.close()
  }

  @Test("a parameter that the statement does not have is an error", arguments: TestEngine.allCases)
  func noSuchParameter(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    for parameter: Int32 in [0, 2, -1] {
      await #expect(throws: StorageError.self) {
        try await database.read { connection in
          try connection.withStatement("SELECT count(*) FROM note WHERE id = ?1") { try $0.bind(1, at: parameter) }
        }
      }
    }
    await database.close()
  }

  @Test(
    "many rows are written one after the other, and each tells what it changed", arguments: TestEngine.allCases,
    [0, 1, 255, 256, 257, 1_000])
  func runEach(engine: TestEngine, count: Int) async throws {
    let database = try TemporaryStore(engine).open()
    let changes = try await database.write { connection in
      var changes: [Int] = []
      let sql = "INSERT INTO value (id, letters) VALUES (?1, ?2) ON CONFLICT (id) DO NOTHING"
      // Every third row is there already.
      try connection.withStatement(sql) { statement throws(StorageError) in
        try statement.runEach(
          0..<count, text: { "row \($0)" }, at: 2,
          bind: { row throws(StorageError) in try statement.bind(Int64(row - row % 3 / 2), at: 1) },
          changed: { row, count in
            #expect(row == changes.count)
            changes.append(count)
          })
      }
      return changes
    }
    #expect(changes == (0..<count).map { $0 % 3 == 2 ? 0 : 1 })
    #expect(try await database.read { try $0.number("SELECT count(*) FROM value") } == Int64(changes.reduce(0, +)))
    await database.close()
  }

  @Test("among many rows, values and NULL may take turns", arguments: TestEngine.allCases)
  func runEachWithNull(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    let changes = try await database.write { connection in
      var changes = 0
      let sql = "INSERT INTO value (id, number, letters) VALUES (?1, ?2, ?3)"
      try connection.withStatement(sql) { statement throws(StorageError) in
        try statement.runEach(
          0..<600, text: { "row \($0)" }, at: 3,
          bind: { row throws(StorageError) in
            try statement.bind(Int64(row), at: 1)
            if row % 2 == 0 { try statement.bindNull(at: 2) } else { try statement.bind(Int64(row), at: 2) }
          }, changed: { _, count in changes += count })
      }
      return changes
    }
    #expect(changes == 600)
    #expect(try await database.read { try $0.number("SELECT count(number) FROM value WHERE number = id") } == 300)
    await database.close()
  }

  @Test("a row of many that can't be written fails its body only", arguments: TestEngine.allCases)
  func runEachFails(engine: TestEngine) async throws {
    let database = try TemporaryStore(engine).open()
    let error = await #expect(throws: StorageError.self) {
      try await database.write { connection in
        try connection.withStatement("INSERT INTO value (id, letters) VALUES (?1, ?2)") {
          statement throws(StorageError) in
          try statement.runEach(
            0..<1_000, text: { "row \($0)" }, at: 2,
            bind: { row throws(StorageError) in try statement.bind(Int64(row % 700), at: 1) }, changed: { _, _ in })
        }
      }
    }
    #expect(error?.kind == .constraint)
    #expect(try await database.read { try $0.number("SELECT count(*) FROM value") } == 0)
    try await database.write { try $0.insertNote("the connection is good for more") }
    await database.close()
  }
}
