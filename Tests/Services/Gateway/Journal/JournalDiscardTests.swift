import Messages
import RPC
import Testing

@testable import Gateway

@Suite("Giving messages up", .timeLimit(.minutes(1)))
struct JournalDiscardTests {
  private func discard(
    _ request: Omsconnector.V1.DiscardRequest, _ live: LiveJournal
  ) async throws -> Omsconnector.V1.DiscardResponse {
    try await live.channel.unary(JournalCalls.discard, request)
  }

  @Test("a filter's messages are discarded, those that went well or wait elsewhere excepted")
  func filter() async throws {
    try await LiveJournal.with { live in
      for n in 0..<150 { try await live.add("\(n)", key: n < 100 ? "A" : "B", n % 10 == 0 ? .success : .error) }
      let filter = Omsconnector.V1.MessageFilter(key: "A")
      let dry = try await discard(.init(filter: filter, dryRun: true), live)
      #expect(dry == .init(matched: 90, discarded: 90))
      #expect(try await live.list(.init(statuses: [.ignored])).messages.isEmpty)
      let done = try await discard(.init(reason: "sent twice", discardedBy: "anna", filter: filter), live)
      #expect(done == .init(matched: 90, discarded: 90))
      let ignored = try await live.list(.init(statuses: [.ignored])).messages
      let handler = LiveJournal.audited("anna")
      #expect(ignored.count == 90 && ignored.allSatisfy { $0.reason == "sent twice" && $0.handledBy == handler })
      #expect(try await discard(.init(reason: "again", filter: filter), live).matched == 0)
      #expect(live.store.counters.count(.incoming, .ignored) == 90)
    }
  }

  @Test("what is being delivered right now stays, and is named")
  func busy() async throws {
    let gate = DeliveryGate()
    try await LiveJournal.with(deliver: { _ in await gate.pass() }) { live in
      let first = try await live.add("1", .pending)
      for n in 2...5 { try await live.add("\(n)", .pending) }
      await live.wake()
      await gate.waitUntilEntered()
      let filter = Omsconnector.V1.MessageFilter(statuses: [.pending])
      let done = try await discard(.init(reason: "not wanted", filter: filter), live)
      #expect(done.matched == 5 && done.discarded == 4)
      #expect(done.notes == ["message \(first) is being delivered right now; look at it again"])
      gate.open()
      try await live.settled()
      #expect(live.delivered.withLock { $0 } == ["1/0"])
    }
  }

  @Test("the reason before is kept beside the operator's, until it is replayed")
  func originalReason() async throws {
    try await LiveJournal.with { live in
      let id = try await live.add("1", .error, reason: "no such mode; token=abcdefgh")
      let answer = try await discard(.init(id: id, reason: "known"), live)
      #expect(answer.message?.reason == "known" && answer.matched == 1 && answer.discarded == 1)
      #expect(try await live.message(id).originalReason == "no such mode; token=***")
      #expect(try await live.list().messages.first?.originalReason == "no such mode; token=***")
      _ = try await live.replay(.init(id: id))
      try await live.settled([.success])
      let message = try await live.message(id)
      #expect(message.reason.isEmpty && message.originalReason.isEmpty)
    }
  }

  @Test("what cannot be meant is refused, with the field")
  func refusals() async throws {
    try await LiveJournal.with { live in
      let id = try await live.add("1", .error)
      let long = String(repeating: "x", count: JournalService.reasonCharacters + 1)
      let cases: [(Omsconnector.V1.DiscardRequest, String)] = [
        (.init(id: id, reason: long), "reason"), (.init(id: id), "reason"), (.init(reason: "x"), "id"),
        (.init(id: id, reason: "x", filter: .init(key: "A")), "filter"),
        (.init(reason: "x", filter: .init()), "filter"),
        (.init(reason: "x", filter: .init(direction: .incoming)), "filter"),
        (.init(reason: "x", filter: .init(statuses: [.success])), "filter.statuses"),
        (.init(reason: "x", filter: .init(key: "A"), pageToken: "x"), "page_token"),
      ]
      for (request, field) in cases {
        let error = await #expect(throws: RPCError.self) { _ = try await discard(request, live) }
        #expect(error?.fieldViolations.first?.field == field, "\(request)")
      }
      #expect(try await live.message(id).status == .error)
      let longest = String(repeating: "x", count: JournalService.reasonCharacters)
      #expect(try await discard(.init(id: id, reason: longest), live).message?.reason == longest)
    }
  }

  @Test(
    "where a search goes on",
    arguments: [("5-9", true), ("5", false), ("", false), ("a-b", false), ("1-2-3", false)])
  func places(text: String, isPlace: Bool) {
    #expect((SearchPlace(text) != nil) == isPlace)
    #expect(SearchPlace(text)?.text ?? text == text)
    #expect(SearchPlace(1...3).rest(of: 2...9) == 2...3 && SearchPlace(1...3).rest(of: 4...9) == nil)
  }
}
