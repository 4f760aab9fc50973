import EventLoop
import HTTP
import Messages
import Storage
import Testing

@testable import Gateway

@Suite("The queue of messages for the services")
struct InboundQueueTests {
  private func wait(_ journal: JournalStore, until count: Int64, _ status: MessageStatus) async throws {
    let sql = "SELECT count(*) FROM journal WHERE status = \(status.rawValue)"
    while try await journal.database.number(sql) < count { await Task.yield() }
  }

  @Test("a message that nobody heard of when it became durable goes when the OMS sends it again")
  func durableUnheard() async throws {
    try await TemporaryJournal.withInbound(consume: { _, _, _ in .init() }) { inbound in
      _ = try await inbound.accept(IncomingMessage(id: "1", key: "A"))
      try await wait(inbound.store, until: 1, .success)
      // The connection to the server was lost while it committed: the queue did not get to know.
      for (id, key) in [("2", "A"), ("3", "")] {
        let message = IncomingMessage(id: id, key: key)
        #expect(try await !inbound.store.receive(message, at: .now).isDuplicate)
        #expect(try await inbound.accept(message).isDuplicate)
      }
      try await wait(inbound.store, until: 3, .success)
    }
  }

  @Test("a message that came before the gateway knew its method is consumed when it comes again")
  func unknownBefore() async throws {
    let consumed = Lock<[String]>([])
    try await TemporaryJournal.withInbound(consume: { service, request, _ in
      consumed.withLock { $0.append("\(service) \(request.deliveryId) \(request.key)") }
      return .init(result: Array("7".utf8))
    }) { inbound in
      let message = IncomingMessage(id: "1", key: "A")
      var before = message
      (before.key, before.destination, before.status) = ("", "", .ignored)
      before.reason = "the method is not consumed here"
      _ = try await inbound.accept(before)
      // The dispatcher has gone past it.
      _ = try await inbound.accept(IncomingMessage(id: "2", key: "A"))
      try await wait(inbound.store, until: 1, .success)
      let receipt = try await inbound.accept(message)
      #expect(receipt == Receipt(id: 1, isDuplicate: true, status: .pending, reason: "", result: [], isTakenUp: true))
      try await wait(inbound.store, until: 2, .success)
      #expect(try await inbound.accept(message).result == Array("7".utf8))
    }
    #expect(consumed.withLock { $0 } == ["inventory 2 A", "inventory 1 A"])
  }

  @Test("what an operator has given up is not taken up again when it comes again")
  func discarded() async throws {
    let journal = try TemporaryJournal()
    let queue = InboundQueue(store: journal.store) { _, _, _ in .init() }
    let message = IncomingMessage(id: "1", key: "A")
    _ = try await queue.accept(message)
    #expect(try await journal.store.discard([1], reason: "no", by: "anna", at: .now) == [1])
    let receipt = try await queue.accept(message)
    #expect(receipt.status == .ignored && receipt.reason == "no")
    await journal.store.database.close()
  }

  /// The states in their order, with the seconds at which they come, and which of them are consumed.
  static let statesWithoutID: [(name: String, sent: [(state: String, at: Int64)], consumed: [String])] = [
    ("the bus tries again", [("A", 0), ("A", 1), ("A", 600)], ["A"]),
    ("two that are alike", [("A", 0), ("A", 601)], ["A", "A"]),
    ("a try again of the second of two", [("A", 0), ("A", 601), ("A", 900)], ["A", "A"]),
    ("a state that comes back", [("A", 0), ("B", 700), ("A", 1400)], ["A", "B", "A"]),
    ("three times the same", [("A", 0), ("A", 1000), ("A", 2000)], ["A", "A", "A"]),
    ("a clock that was ahead", [("A", 10_000), ("A", 0)], ["A", "A"]),
  ]

  @Test("without an id, the same content again is the same message for ten minutes", arguments: statesWithoutID)
  func withoutID(name: String, sent: [(state: String, at: Int64)], consumed: [String]) async throws {
    let received = Lock<[Omsconnector.Internal.V1.ConsumeRequest]>([])
    try await TemporaryJournal.withInbound(consume: { _, request, _ in
      received.withLock { $0.append(request) }
      return .init()
    }) { inbound in
      for (state, seconds) in sent {
        let message = IncomingMessage(id: "null", key: "K", body: #"{"state":"\#(state)"}"#)
        let receipt = try await inbound.store.receive(message, at: WallTime(seconds: 1_700_000_000 + seconds))
        for dispatcher in inbound.dispatchers { await dispatcher.wake() }
        _ = await inbound.outcome(of: receipt, message)
      }
    }
    let requests = received.withLock { $0 }
    #expect(requests.map { String(decoding: $0.body, as: UTF8.self) } == consumed.map { #"{"state":"\#($0)"}"# })
    // Each has its effect: the services know deliveries by id and content.
    #expect(Set(requests.map(\.deliveryId)).count == consumed.count)
  }

  @Test("with an id, the same content again is the same message at any time")
  func withID() async throws {
    let journal = try TemporaryJournal()
    let start = WallTime(seconds: 1_700_000_000)
    let message = IncomingMessage(id: "7", key: "K")
    #expect(try await !journal.store.receive(message, at: start).isDuplicate)
    #expect(try await journal.store.receive(message, at: start + .seconds(50 * 86_400)).isDuplicate)
    await journal.store.database.close()
  }
}
