import Messages
import RPC
import Testing

@testable import Gateway

@Suite("Limits of the journal", .timeLimit(.minutes(1)))
struct JournalLimitTests {
  @Test("a page of long texts ends before it is too long for a message, and the list goes on behind it")
  func pageBytes() async throws {
    try await LiveJournal.with { live in
      let long = String(repeating: "k", count: 10_000)
      for n in 0..<250 { try await live.add("\(n)", key: long) }
      var (ids, token, pages) = ([String](), "", 0)
      repeat {
        let page = try await live.list(pageSize: 1_000, pageToken: token)
        #expect(page.serialized().count <= JournalService.pageBytes + 20_000)
        ids += page.messages.map(\.deliveryId)
        token = page.nextPageToken
        pages += 1
      } while !token.isEmpty
      #expect(ids == (0..<250).reversed().map { "\($0)" } && pages >= 3)
    }
  }

  @Test("one replay at a time; a dry run goes beside it; who is refused learns by whom, since when and how far it is")
  func oneReplay() async throws {
    let journal = try TemporaryJournal()
    for n in 0..<200 {
      var message = IncomingMessage(id: "\(n)", key: "A")
      message.status = .error
      _ = try await journal.store.receive(message, at: .now)
    }
    // It is not at work: what is replayed waits.
    let idle = Destination("inventory", partitions: journal.store.partitions) { partition in
      Dispatcher(destination: "inventory", partition: partition, store: journal.store, policy: .incoming) { _ in
        .delivered(result: [])
      }
    }
    let replay = JournalReplay(store: journal.store, destinations: ["inventory": idle], consumed: { _ in nil })
    let (filter, all) = (JournalFilter(statuses: [.error]), try await journal.store.bounds())
    let gate = DeliveryGate()
    async let first = replay.replay(filter, in: all, by: "anna", dryRun: false) { _ in _ = await gate.pass() }
    await gate.waitUntilEntered()
    let error = await #expect(throws: RPCError.self) {
      _ = try await replay.replay(filter, in: all, by: "bert", dryRun: false) { _ in }
    }
    #expect(error?.code == .failedPrecondition)
    let message = error?.message ?? ""
    #expect(message.hasPrefix("a replay by anna is under way since 20"))
    #expect(message.contains(", at \(JournalReplay.batch) of 200 messages"))
    let dry = try await replay.replay(filter, in: all, by: "bert", dryRun: true) { _ in }
    #expect(dry.replayed == 200 - Int64(JournalReplay.batch))
    gate.open()
    #expect(try await first.replayed == 200)
    await journal.store.database.close()
  }

  @Test("a delivery id of the OMS is found with its quotes and without", arguments: ["poison-3", "\"poison-3\""])
  func deliveryIDs(id: String) async throws {
    try await LiveJournal.with { live in
      try await live.add("\"poison-3\"")
      try await live.add("\"poison-33\"")
      #expect(try await live.list(.init(deliveryId: id)).messages.map(\.deliveryId) == ["\"poison-3\""])
    }
  }
}
