import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("The end of a try that comes late") struct LateEndsTests {
  @Test(
    "leaves a message as it is that was delivered by another gateway and replayed since", arguments: TestEngine.allCases
  )
  func replayed(engine: TestEngine) async throws {
    let journal = try TemporaryJournal(engine)
    let store = journal.store
    let id = try await store.receive(IncomingMessage(id: "1", key: "A"), at: .now).id
    func waiting() async throws -> PendingMessage { try #require(try await store.pending(id)) }
    let first = try await waiting()
    try await store.finish(id, replay: 0, .success, attempts: .init(), reason: "", result: [], at: .now)
    let replayed = JournalMessage(id: id, key: "A", destination: "inventory")
    #expect(try await store.requeue([replayed], by: "anna", at: .now) == [id])
    let again = try await waiting()

    try await store.finish(
      id, replay: first.replayCount, .error, attempts: .init(), reason: "refused", result: [], at: .now)
    try await store.giveUp([first], .dead, at: .now) { _ in ("over", nil) }
    try await store.postpone(
      id, replay: first.replayCount, attempts: .init(), reason: "away", until: WallTime.now + .seconds(60))
    #expect(try await waiting() == again)
    #expect(try await store.receipt(id)?.reason == "")

    try await store.postpone(id, replay: again.replayCount, attempts: .init(), reason: "away", until: .now)
    #expect(try await waiting().nextAttemptAt != nil)
    try await store.finish(id, replay: again.replayCount, .success, attempts: .init(), reason: "", result: [], at: .now)
    #expect(try await store.receipt(id)?.status == .success)
    await store.database.close()
  }
}
