import EventLoop
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

@Suite("What waits, and why", .timeLimit(.minutes(1)))
struct QueueStatesTests {
  private func queue(_ live: LiveJournal, _ destination: String) async throws -> Omsconnector.V1.MessageQueue {
    let answer = try await live.channel.unary(JournalCalls.getQueues, .init(destination: destination))
    return try #require(answer.queues.first)
  }

  private func enqueue(_ id: String, _ live: LiveJournal) async throws {
    _ = try await live.store.enqueue(
      OutgoingMessage(
        deliveryID: id, method: "magento.a.b.c", key: "K", destination: "delegate", body: Array("{}".utf8),
        traceparent: ""), at: .now)
  }

  @Test("a service that is away is said to be so, with the reason, also of its keys, until it is back")
  func away() async throws {
    try await LiveJournal.with(deliver: { _ in
      .unavailable("inventory can't be reached", retryAfter: .milliseconds(1))
    }) { live in
      let id = try await live.add("1", .pending)
      try await live.tried(id, "inventory")
      let queue = try await queue(live, "inventory")
      #expect(queue.broken && !queue.held && queue.nextAttemptAt != nil && queue.depth == 1)
      #expect(queue.lastError == "inventory can't be reached")
      #expect(queue.keys.map(\.oldestReason) == ["inventory can't be reached"])
    }
  }

  @Test("while the connector is disabled its messages are held, not away, and their keys say why")
  func held() async throws {
    try await LiveJournal.with(
      heldBack: { "the connector is disabled" }, deliver: { _ in .held("the connector is disabled") }
    ) { live in
      try await enqueue("1", live)
      let queue = try await queue(live, "delegate")
      #expect(queue.held && !queue.broken && queue.nextAttemptAt == nil)
      #expect(queue.lastError == "the connector is disabled")
      #expect(queue.keys.map(\.oldestReason) == ["the connector is disabled"])
      let incoming = try await self.queue(live, "inventory")
      #expect(!incoming.held, "what comes from the OMS is delivered all the same")
    }
  }

  @Test("a replayed message does not wait for what it failed of before")
  func replayed() async throws {
    let gate = DeliveryGate()
    try await LiveJournal.with(deliver: { _ in await gate.pass() }) { live in
      let id = try await live.add("1", .error, reason: "was broken")
      _ = try await live.replay(.init(id: id))
      await gate.waitUntilEntered()
      let queue = try await queue(live, "inventory")
      #expect(queue.depth == 1 && queue.lastError.isEmpty && queue.keys.map(\.oldestReason) == [""])
      #expect(try await live.message(id).reason.isEmpty)
      gate.open()
    }
  }

  @Test("what was given up is counted, failed calls are not")
  func givenUp() async throws {
    try await LiveJournal.with { live in
      for (n, status) in [MessageStatus.error, .dead, .success, .ignored, .error].enumerated() {
        try await live.add("\(n)", status)
      }
      try await note(live)
      #expect(try await live.channel.unary(JournalCalls.getQueues, .init()).givenUp == 3)
    }
  }

  /// A call that the OMS refused.
  private func note(_ live: LiveJournal) async throws {
    let call = try OutgoingMessage(
      Omsconnector.Internal.V1.CallRequest(method: "magento.a.b.c", body: Array("{}".utf8)), traceparent: "")
    try await live.store.note(
      call, .init(status: .error, reason: "no", result: []), startedAt: .now, duration: .milliseconds(3))
  }

  @Test("a call is never replayed: not by its number, not by a filter; it can be discarded")
  func calls() async throws {
    try await LiveJournal.with { live in
      try await note(live)
      let message = try #require(try await live.list().messages.first)
      #expect(message.destination == "call" && message.status == .error && message.direction == .outgoing)
      let error = await #expect(throws: RPCError.self) { _ = try await live.replay(.init(id: message.id)) }
      #expect(error?.code == .failedPrecondition && error?.message.contains("is a call") == true)
      let swept = try await live.replay(.init(filter: .init(statuses: [.error, .dead])))
      #expect(swept.last == .init())
      let done = try await live.channel.unary(JournalCalls.discard, .init(id: message.id, reason: "seen"))
      #expect(done.message?.status == .ignored)
    }
  }

  @Test("the metrics say what waits, for how long, what holds it, what was given up and what became of messages")
  func metrics() async throws {
    try await LiveJournal.with(
      heldBack: { "disabled" }, deliver: { $0.method == "magento.a.b.c" ? .held("disabled") : .delivered(result: []) }
    ) { live in
      let start = WallTime(seconds: 1_700_000_000)
      _ = try await live.store.enqueue(
        OutgoingMessage(
          deliveryID: "1", method: "magento.a.b.c", key: "K", destination: "delegate", body: [], traceparent: ""),
        at: start)
      try await live.add("2", .error, at: start)
      try await live.add("3", .pending, at: start)
      await live.wake()
      try await live.settled(only: "inventory")
      var text = Exposition()
      await QueueMetrics.write(live.states, now: start + .seconds(90), to: &text)
      for line in [
        #"omsconnector_queue_messages{destination="delegate",direction="out"} 1"#,
        #"omsconnector_queue_messages{destination="inventory",direction="in"} 0"#,
        #"omsconnector_queue_oldest_age_seconds{destination="delegate",direction="out"} 90"#,
        #"omsconnector_queue_oldest_age_seconds{destination="inventory",direction="in"} 0"#,
        #"omsconnector_queue_held{destination="delegate",direction="out"} 1"#,
        #"omsconnector_queue_away{destination="delegate",direction="out"} 0"#,
        #"omsconnector_queue_held{destination="inventory",direction="in"} 0"#, "omsconnector_given_up_messages 1",
        #"omsconnector_messages_total{direction="in",status="success"} 1"#,
        #"omsconnector_messages_total{direction="in",status="error"} 1"#,
        #"omsconnector_messages_total{direction="out",status="dead"} 0"#,
      ] {
        #expect(text.text.contains(line + "\n"), "\(line) in \(text.text)")
      }
    }
  }
}
