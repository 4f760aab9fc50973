import EventLoop
import Messages
import RPC
import TestSupport
import Testing

@testable import Gateway

@Suite("Replays of what nobody consumed", .serialized, .timeLimit(.minutes(1)))
struct ReplayRoutesTests {
  @Test(
    "what nobody consumed when it came is delivered once a running service does, with its key",
    arguments: TestEngine.allCases)
  func replayUnknown(engine: TestEngine) async throws {
    let isUpgraded = Lock(false)
    let consumed: TopicWatcher.Ask = { service in
      service == .inventory && isUpgraded.withLock { $0 } ? [CallbackEdgeTests.method] : []
    }
    try await LiveJournal.with(engine, consumed: consumed) { live in
      let body = #"{"snapshot":{"aggregate_id":"EU"}}"#
      let id = try await live.add("1", key: "", .ignored, destination: "", body: body, reason: "not consumed here")
      let stranger = try await live.add("2", key: "", .ignored, method: "magento.x.y.z", destination: "")
      let broken = try await live.add("3", key: "", .ignored, destination: "", body: "7")
      let unread = try await live.add("4", key: "", .error, method: "", destination: "", reason: "no JSON")
      func refusal(_ id: Int64) async -> String {
        do {
          _ = try await live.replay(.init(id: id))
          return "replayed"
        } catch { return (error as? RPCError).map { "\($0.code) \($0.message)" } ?? "\(error)" }
      }
      for id in [id, stranger] {
        #expect(await refusal(id).hasPrefix("FAILED_PRECONDITION message \(id) cannot be replayed: no running service"))
      }
      isUpgraded.withLock { $0 = true }
      #expect(await refusal(stranger).contains("no running service consumes magento.x.y.z"))
      #expect(await refusal(broken).contains("params"))
      #expect(await refusal(unread).contains("could not be read when it came: no JSON"))
      let filter = Omsconnector.V1.MessageFilter(statuses: [.ignored, .error])
      let dry = try await live.replay(.init(filter: filter, dryRun: true)).last
      #expect(dry?.matched == 4 && dry?.replayed == 1 && dry?.notes.count == 3)
      #expect(try await live.message(id).status == .ignored)
      #expect(try await live.replay(.init(filter: filter)).last?.replayed == 1)
      try await live.settled()
      let message = try await live.message(id)
      #expect(message.status == .success && message.destination == "inventory" && message.key == "EU")
      #expect(live.delivered.withLock { $0 } == ["1/1"])
    }
  }

  @Test("a service that does not answer is named when its message can't be replayed")
  func replaySilent() async throws {
    try await LiveJournal.with { live in
      let id = try await live.add("1", key: "", .ignored, destination: "")
      let error = await #expect(throws: RPCError.self) { _ = try await live.replay(.init(id: id)) }
      #expect(error?.code == .failedPrecondition && error?.message.contains("inventory") == true)
    }
  }

  @Test("queues of all destinations come with the services' outboxes, that of one does not")
  func outboxes() async throws {
    try await LiveJournal.with { live in
      let all = try await live.channel.unary(JournalCalls.getQueues, .init())
      #expect(all.outboxes == [.init(service: "inventory", depth: 7)])
      #expect(try await live.channel.unary(JournalCalls.getQueues, .init(destination: "inventory")).outboxes.isEmpty)
    }
  }
}
