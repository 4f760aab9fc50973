import EventLoop
import TestSupport
import Testing

@testable import Storage

@Suite("Writes that share a body")
final class SharedWriteTests: Sendable {
  /// A call: what it inserts, and under which key.
  private struct Call: Sendable {
    let note: String
    let key: String
    let fails: Bool

    init(_ note: String, _ key: String = "a", fails: Bool = false) {
      (self.note, self.key, self.fails) = (note, key, fails)
    }
  }

  /// Notes for each run of the body.
  private let runs = Lock<[[String]]>([])

  /// Hands the calls over while the writer is held, and answers what each came to.
  private func together(_ database: Database, _ calls: [Call?]) async throws -> [Result<String, any Error>] {
    let shared = SharedWrite<Call, String> { [self] connection, calls in
      runs.withLock { $0.append(calls.map(\.note)) }
      for call in calls {
        try connection.insertNote(call.note)
        if call.fails { throw Refusal() }
      }
      return calls.map { "did \($0.note)" }
    }
    let gate = Gate()
    let holding = try database.enqueueWrite { _ in gate.pass() }
    await gate.waitUntilEntered()
    let pending = try calls.map { call in
      guard let call else { return try database.enqueueWrite(key: "a") { _ in "alone" } }
      return try database.enqueueWrite(call, to: shared, key: call.key)
    }
    gate.open()
    try await holding.value()
    var results: [Result<String, any Error>] = []
    for each in pending {
      do {
        results.append(.success(try await each.value()))
      } catch {
        results.append(.failure(error))
      }
    }
    return results
  }

  @Test("neighbours of a key run as one, each with its own answer, in their order", arguments: TestEngine.allCases)
  func neighbours(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let answers = try await together(
      database, [Call("1"), Call("2"), Call("3"), nil, Call("4"), Call("5", "b"), Call("6", "b")])
    #expect(try answers.map { try $0.get() } == ["did 1", "did 2", "did 3", "alone", "did 4", "did 5", "did 6"])
    #expect(runs.withLock { $0 } == [["1", "2", "3"], ["4"], ["5", "6"]])
    #expect(try await database.read { try $0.notes() } == ["1", "2", "3", "4", "5", "6"])
    await database.close()
  }

  @Test("keys are compared by their bytes", arguments: TestEngine.allCases)
  func bytes(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    _ = try await together(database, [Call("1", "K\u{f6}ln"), Call("2", "Ko\u{308}ln"), Call("3", "Ko\u{308}ln")])
    #expect(runs.withLock { $0.sorted { $0[0] < $1[0] } } == [["1"], ["2", "3"]])
    await database.close()
  }

  @Test("one that fails takes none of the others along", arguments: TestEngine.allCases)
  func failure(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open()
    let answers = try await together(database, [Call("1"), Call("2", fails: true), Call("3")])
    #expect(throws: Refusal.self) { try answers[1].get() }
    #expect(try [answers[0], answers[2]].map { try $0.get() } == ["did 1", "did 3"])
    #expect(runs.withLock { $0 } == [["1", "2", "3"], ["1"], ["2"], ["3"]])
    #expect(try await database.read { try $0.notes() } == ["1", "3"])
    await database.close()
  }

  @Test("no more run as one than a commit takes", arguments: TestEngine.allCases)
  func limit(engine: TestEngine) async throws {
    let store = try TemporaryStore(engine)
    let database = try store.open { $0.maximumBatchCount = 2 }
    _ = try await together(database, (1...5).map { Call("\($0)") })
    #expect(runs.withLock { $0 } == [["1", "2"], ["3", "4"], ["5"]])
    await database.close()
  }
}
