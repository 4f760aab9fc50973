import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("the registration in the store")
struct RegistrationStoreTests {
  @Test("nothing is kept at first; then what was saved last, also after a restart", arguments: TestEngine.allCases)
  func keeps(engine: TestEngine) async throws {
    let file = try TemporaryGatewayStore(engine)
    let database = try file.open()
    let store = RegistrationStore(database: database)
    #expect(try await store.load().registration == KeptRegistration())
    #expect(try await store.load().topics == [])
    let kept = KeptRegistration(goal: .disabled, isSettled: true, changedAt: WallTime(seconds: 1_700_000_000))
    try await store.save(KeptRegistration(goal: .unregistered, isSettled: false, changedAt: WallTime(seconds: 1)))
    try await store.save(kept)
    let away = KeptTopic(method: "c", awaySince: WallTime(seconds: 1_700_000_001))
    try await store.save(topics: [KeptTopic(method: "b"), KeptTopic(method: "a")])
    try await store.save(topics: [away, KeptTopic(method: "a")])
    await database.close()
    let opened = try file.open()
    let (registration, topics) = try await RegistrationStore(database: opened).load()
    #expect(registration == kept && topics == [KeptTopic(method: "a"), away])
    await opened.close()
  }
}
