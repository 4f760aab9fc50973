import Storage
import TestSupport
import Testing

@Suite("Columns of few cases")
struct StatementValueTests {
  private enum Size: String { case small, large }
  private enum State: Int64 { case open = 1, done }

  private static func read<Value: Sendable>(
    _ engine: TestEngine, _ columns: String, _ read: @escaping @Sendable (Statement) throws -> Value
  ) async throws -> Value {
    let database = try TemporaryStore(engine).open()
    let result: Result<Value, any Error>
    do {
      result = .success(
        try await database.read { connection in
          try connection.withStatement("SELECT \(columns)") { statement in
            _ = try statement.step()
            let value = try read(statement)
            _ = try statement.step()
            return value
          }
        })
    } catch {
      result = .failure(error)
    }
    await database.close()
    return try result.get()
  }

  @Test("what is known is read", arguments: TestEngine.allCases)
  func known(engine: TestEngine) async throws {
    let found = try await Self.read(engine, "'large', CAST(2 AS BIGINT), CAST(7 AS BIGINT)") { statement in
      let (size, state): (Size, State) = (try statement.value(0, of: "a"), try statement.value(1, of: "b"))
      let isSeven = try statement.value(2, of: "c") { $0 == 7 ? true : nil }
      return size == .large && state == .done && isSeven
    }
    #expect(found)
  }

  @Test("what is not is an error that says what it is of, and what to do", arguments: TestEngine.allCases)
  func unknown(engine: TestEngine) async throws {
    let text = await #expect(throws: StorageError.self) {
      try await Self.read(engine, "'huge'") { try $0.value(0, of: "the size of mug 7") as Size }
    }
    #expect(text?.message == #"the size of mug 7 is "huge", which is unknown"#)
    #expect(text?.remedy?.contains("a newer one") == true)
    let number = await #expect(throws: StorageError.self) {
      try await Self.read(engine, "CAST(3 AS BIGINT)") { try $0.value(0, of: "the state of mug 7") as State }
    }
    #expect(number?.message == "the state of mug 7 is 3, which is unknown")
  }
}
