import EventLoop
import Glibc
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import Catalog

@Suite("Which products the OMS has")
struct ProductConfirmationTests {
  /// The journal of a gateway as a test wants it, and what it was asked.
  private final class Journal: DeliveryJournal {
    private struct Unavailable: Error {}
    private let known: Lock<[String: ProductDelivery]>
    private let asked = Lock([String]())
    /// After so many questions everything is delivered.
    let turn: Int

    init(_ known: [String: ProductDelivery] = [:], turn: Int = .max) {
      self.known = Lock(known)
      self.turn = turn
    }

    var questions: [String] { asked.withLock { $0 } }

    func set(_ sku: String, _ delivery: ProductDelivery?) { known.withLock { $0[sku] = delivery } }

    /// What is answered to who asks for all that waits.
    let allWaiting = Lock<Set<String>?>(nil)
    func waiting() async throws -> Set<String>? { allWaiting.withLock { $0 } }

    func delivery(of sku: String) async throws -> ProductDelivery {
      let count = asked.withLock { asked in
        asked.append(sku)
        return asked.count
      }
      if count >= turn { return .delivered }
      guard let delivery = known.withLock({ $0[sku] }) else { throw Unavailable() }
      return delivery
    }
  }

  /// One that waits as long as it takes, however slow the machine is.
  private static func confirmation(
    _ store: CatalogStore, _ journal: Journal, _ group: EventLoopGroup
  ) -> ProductConfirmation {
    let long = Duration.seconds(600)
    return ProductConfirmation(
      store: store, journal: journal, loop: group.next(), patience: long, freshness: long, limit: long)
  }

  /// A mug in the catalog, and what is missing of it.
  private static func missing(
    _ journal: Journal, on engine: TestEngine = .sqlite, isFresh: Bool = false,
    before: (TemporaryCatalog) async throws -> Void = { _ in },
    after: (ProductConfirmation, [CatalogRow]) async throws -> Void = { _, _ in }
  ) async throws -> Set<String> {
    let catalog = try TemporaryCatalog(engine)
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    _ = try await catalog.store.takeOver([entry(mug())])
    try await before(catalog)
    let confirmation = confirmation(catalog.store, journal, group)
    var rows = try await catalog.store.products(ids: [7], skus: [])
    if !isFresh { for index in rows.indices { rows[index].exportedAt = 1 } }
    let missing = try await confirmation.missing(among: rows)
    try await after(confirmation, rows)
    await catalog.database.close()
    return missing
  }

  @Test("what the OMS has taken once it has, whatever becomes of later messages", arguments: TestEngine.allCases)
  func delivered(engine: TestEngine) async throws {
    let journal = Journal(["MUG": .delivered])
    let missing = try await Self.missing(
      journal, on: engine,
      after: { confirmation, rows in
        journal.set("MUG", .undelivered)
        _ = try await confirmation.store.takeOver([entry(mug { $0.updatedAt = 2_000_000_000 })], sendsAll: true)
        #expect(try await confirmation.missing(among: rows).isEmpty)
      })
    #expect(missing.isEmpty && journal.questions == ["MUG"])
  }

  @Test("a product that waits anywhere on its way is missing", arguments: TestEngine.allCases)
  func underWay(engine: TestEngine) async throws {
    let inJournal = try await Self.missing(
      Journal(["MUG": .undelivered]), on: engine, before: { try await $0.clearMessages() })
    #expect(inJournal == ["MUG"])
    // In the outbox.
    #expect(try await Self.missing(Journal(["MUG": .unknown]), on: engine) == ["MUG"])
    // Refused by the gateway.
    let refused = try await Self.missing(Journal(["MUG": .unknown]), on: engine) { catalog in
      try await catalog.database.write { try catalog.store.outbox.refuse($0, 1, reason: "too large") }
    }
    #expect(refused == ["MUG"])
  }

  @Test("of many products only those are asked for that something waits for", arguments: TestEngine.allCases)
  func many(engine: TestEngine) async throws {
    let catalog = try TemporaryCatalog(engine)
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let entries = (0..<20).map { number in
      entry(
        mug {
          $0.sku = "MUG-\(number)"
          $0.id = Int64(100 + number)
        })
    }
    _ = try await catalog.store.takeOver(Array(entries.dropLast()))
    try await catalog.clearMessages()
    _ = try await catalog.store.takeOver([entries[19]])
    let journal = Journal(["MUG-3": .undelivered, "MUG-4": .delivered, "MUG-19": .unknown])
    journal.allWaiting.withLock { $0 = ["MUG-3", "MUG-4"] }
    let confirmation = Self.confirmation(catalog.store, journal, group)
    var rows = try await catalog.store.products(ids: (0..<20).map { Int64(100 + $0) }, skus: [])
    #expect(rows.count == 20)
    for index in rows.indices { rows[index].exportedAt = 1 }
    #expect(try await confirmation.missing(among: rows) == ["MUG-3", "MUG-19"])
    #expect(journal.questions.sorted() == ["MUG-19", "MUG-3", "MUG-4"])
    await catalog.database.close()
  }

  @Test(
    "what waits in the journal is known when all of it is named and nothing was given up",
    arguments: [
      (Omsconnector.V1.GetQueuesResponse(queues: [.init()]), Set<String>?.some([])),
      (
        .init(queues: [.init(depth: 3, keys: [.init(key: "A", depth: 2), .init(key: "B", depth: 1)], keyCount: 2)]),
        Set<String>?.some(["A", "B"])
      ),
      (.init(queues: [.init(depth: 3, keys: [.init(key: "A", depth: 3)], keyCount: 2)]), nil),
      (.init(queues: [.init(depth: 4, keys: [.init(key: "A", depth: 3)], keyCount: 1)]), nil),
      (.init(queues: [.init()], givenUp: 1), nil), (.init(), nil),
    ])
  func queues(answer: Omsconnector.V1.GetQueuesResponse, expected: Set<String>?) async throws {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    var router = Router()
    router.unary(Omsconnector.V1.JournalServiceMethods.getQueues) { request, _ in
      #expect(request.destination == "events")
      return answer
    }
    let server = Server(group: group, router: router)
    let path = "/tmp/oms-queues-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
    let channel = Channel(target: Target(try server.listen(on: .unix(path: path))), group: group)
    defer { for suffix in ["", ".lock"] { unlink(path + suffix) } }
    #expect(try await GatewayDeliveries(channel: channel).waiting() == expected)
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
  }

  @Test("what the journal has forgotten went through")
  func forgotten() async throws {
    #expect(try await Self.missing(Journal(["MUG": .unknown]), before: { try await $0.clearMessages() }).isEmpty)
  }

  @Test("in an outbox that is too long to be looked through anything may wait")
  func longOutbox() async throws {
    let missing = try await Self.missing(Journal(["MUG": .unknown])) { catalog in
      let other = OutboxMessage(method: "m", key: "other", route: .events, body: [])
      let others = Array(repeating: other, count: CatalogStore.lookedAt + 1)
      try await catalog.clearMessages()
      try await catalog.database.write { try catalog.store.outbox.addAll($0, others) }
    }
    #expect(missing == ["MUG"])
  }

  @Test("without the gateway nothing is confirmed, and nothing is waited for")
  func unavailable() async throws {
    let journal = Journal()
    #expect(try await Self.missing(journal, isFresh: true) == ["MUG"])
    #expect(journal.questions.count == 1)
  }

  @Test("what was exported just now is waited for")
  func fresh() async throws {
    let journal = Journal(["MUG": .undelivered], turn: 3)
    #expect(try await Self.missing(journal, isFresh: true).isEmpty)
    #expect(journal.questions.count == 3)
  }

  @Test(
    "the journal says what has become of a product's messages",
    arguments: [
      ([.success], .delivered), ([.pending, .dead, .success], .delivered), ([.pending], .undelivered),
      ([.dead], .undelivered), ([.ignored], .undelivered), ([], .unknown),
    ] as [([Omsconnector.V1.MessageStatus], ProductDelivery)])
  func journal(statuses: [Omsconnector.V1.MessageStatus], delivery: ProductDelivery) async throws {
    let asked = Lock([Omsconnector.V1.ListMessagesRequest]())
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    var router = Router()
    router.unary(Omsconnector.V1.JournalServiceMethods.listMessages) { request, _ in
      asked.withLock { $0.append(request) }
      return .init(messages: statuses.map { .init(status: $0) })
    }
    let server = Server(group: group, router: router)
    let path = "/tmp/oms-deliveries-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
    let channel = Channel(target: Target(try server.listen(on: .unix(path: path))), group: group)
    defer { for suffix in ["", ".lock"] { unlink(path + suffix) } }
    #expect(try await GatewayDeliveries(channel: channel).delivery(of: "MUG") == delivery)
    let filter = try #require(asked.withLock { $0.first?.filter })
    #expect(filter.key == "MUG" && filter.method == CatalogEntry.method && filter.direction == .outgoing)
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
  }
}
