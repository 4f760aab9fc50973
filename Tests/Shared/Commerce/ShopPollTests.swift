import EventLoop
import HTTP
import Messages
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Commerce

@Suite("Polling the shop")
struct ShopPollTests {
  /// 2024-02-03 04:05:06
  private let now: Int64 = 1_706_933_106

  /// A shop whose every page is the same three orders.
  private func shop() throws -> HTTPServer {
    try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { _ in
      .json(#"{"items":[{"entity_id":1},{"entity_id":2},{"entity_id":3}],"total_count":3}"#)
    }
  }

  private func poll(
    _ server: HTTPServer, _ database: Database, _ group: EventLoopGroup, hold: Duration = ShopPoll.hold,
    firstCriteria: SearchCriteria? = nil,
    _ seen: @escaping @Sendable (Int64) throws -> Void
  ) -> ShopPoll {
    var options = CommerceClient.Options()
    options.firstPause = .milliseconds(1)
    let client = CommerceClient(
      url: "http://\(server.address)/", credentials: .bearer(Secret("secret")), options: options)
    return ShopPoll(
      .init(name: "orders", route: "V1/orders", firstCriteria: firstCriteria),
      of: Shop(client: client, mapping: Mapping()), client, in: database, loop: group.loops[0], hold: hold
    ) { items in for item in items { try seen(item["entity_id"].flatMap { Int64($0.text) } ?? -1) } }
  }

  @Test("the first round reads all until now; each later one from ten minutes before the last one's end")
  func window() {
    let subject = ShopPoll.Subject(
      name: "orders", route: "V1/orders", criteria: SearchCriteria().where("state", .eq, "new"))
    let values = { (criteria: SearchCriteria) in criteria.query.filter { $0.name.hasSuffix("[value]") }.map(\.value) }
    #expect(values(subject.changed(from: nil, until: now)) == ["new", "2024-02-03 04:05:06"])
    #expect(
      values(subject.changed(from: now - 60, until: now)) == ["new", "2024-02-03 04:05:06", "2024-02-03 03:54:06"])
  }

  @Test("the first round may leave out what can matter only once it is known")
  func first() {
    let subject = ShopPoll.Subject(
      name: "orders", route: "V1/orders", firstCriteria: SearchCriteria().where("state", .eq, "new"))
    let values = { (criteria: SearchCriteria) in criteria.query.filter { $0.name.hasSuffix("[value]") }.map(\.value) }
    #expect(values(subject.changed(from: nil, until: now)) == ["new", "2024-02-03 04:05:06"])
    #expect(values(subject.changed(from: now, until: now)) == ["2024-02-03 04:05:06", "2024-02-03 03:55:06"])
  }

  @Test("what has changed since a first round began that did not end is read again")
  func firstFailing() async throws {
    let server = try shop()
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let database = try TestStore().open([PollPlace.migration, Lease.migration, UnreadableItems.migration])
    struct Full: Error {}
    let narrow = SearchCriteria().where("state", .eq, "new")
    let failing = poll(server, database, group, firstCriteria: narrow) { id in if id == 3 { throw Full() } }
    await #expect(throws: Full.self) { try await failing.round(now: now) }
    let second = poll(server, database, group, firstCriteria: narrow) { _ in }
    #expect(try await second.round(now: now + 7_200))
    #expect(try await place(database) == now - 5)
    #expect(try await second.round(now: now + 7_300))
    #expect(try await place(database) == now + 7_295)
    await database.close()
    await server.shutdown(grace: .seconds(1))
  }

  @Test("a round that fails is done again from the same place, by one replica at a time, also after a restart")
  func failing() async throws {
    let server = try shop()
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let store = try TestStore()
    let database = try store.open([PollPlace.migration, Lease.migration, UnreadableItems.migration])
    struct Full: Error {}
    let failing = poll(server, database, group) { id in if id == 3 { throw Full() } }
    await #expect(throws: Full.self) { try await failing.round(now: now) }
    let other = try store.open([PollPlace.migration, Lease.migration, UnreadableItems.migration])
    let seen = Lock<[Int64]>([])
    let second = poll(server, other, group) { id in seen.withLock { $0.append(id) } }
    #expect(try await place(other) == nil)
    let lease = try await database.write {
      try Lease.acquire($0, key: "poll orders", holder: "a third", for: .seconds(60))
    }
    #expect(try await !second.round(now: now), "a third one reads")
    try await database.write { try lease?.release($0) }
    #expect(try await second.round(now: now))
    #expect(seen.withLock { $0 } == [1, 2, 3])
    #expect(try await place(other) == now - 5, "Magento's rows may show up seconds after their stamp")
    #expect(try await second.round(now: now - 100), "the lease was given back")
    #expect(try await place(other) == now - 5, "a clock that goes back loses nothing")
    await database.close()
    await other.close()
    await server.shutdown(grace: .seconds(1))
  }

  @Test("however long the shop takes for a page, nobody else reads meanwhile", arguments: TestEngine.allCases)
  func slow(engine: TestEngine) async throws {
    let store = try TestStore(engine)
    let database = try store.open([PollPlace.migration, Lease.migration, UnreadableItems.migration])
    let expiry = { @Sendable () async throws -> Int64 in
      try await database.read { connection in
        try connection.withStatement("SELECT expires_at FROM lease") { try $0.step() ? $0.integer(0) : 0 }
      }
    }
    // The shop answers once the lease has been renewed twice.
    let server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { _ in
      do {
        var (renewals, last) = (0, try await expiry())
        while renewals < 2 {
          let now = try await expiry()
          if now > last { (renewals, last) = (renewals + 1, now) }
          await Task.yield()
        }
      } catch {
        return .json(status: 400, #"{"message":"\(error)"}"#)
      }
      return .json(#"{"items":[{"entity_id":1}],"total_count":1}"#)
    }
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let seen = Lock(0)
    let slow = poll(server, database, group, hold: .milliseconds(300)) { _ in seen.withLock { $0 += 1 } }
    #expect(try await slow.round(now: now))
    #expect(seen.withLock { $0 } == 1)
    await database.close()
    await server.shutdown(grace: .seconds(1))
  }

  @Test("while a page is tried again its status says which, and why; so does a round that fails")
  func trouble() async throws {
    let seen = Lock<[ShopPoll.Status]>([])
    let failing = Lock<ShopPoll?>(nil)
    // The first page is well, the second never.
    let server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { _ in
      let before = seen.withLock { $0.count }
      if let status = failing.withLock({ $0?.status }) { seen.withLock { $0.append(status) } }
      return before == 0
        ? .json(#"{"items":[{"entity_id":1}],"total_count":2}"#) : .json(status: 500, #"{"message":"out of memory"}"#)
    }
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let store = try TestStore()
    let database = try store.open([PollPlace.migration, Lease.migration, UnreadableItems.migration])
    let poll = poll(server, database, group) { _ in }
    failing.withLock { $0 = poll }
    #expect(poll.status == ShopPoll.Status())
    await poll.attempt()
    let rounds = seen.withLock { $0.compactMap(\.round) }
    #expect(rounds.first.map { $0.read == 0 && $0.pageFailure == nil } == true)
    #expect(rounds.last?.read == 1 && rounds.last?.pageFailure?.after == 1)
    #expect(Set(rounds.compactMap(\.pageFailure?.size)).count > 1, "with ever smaller pages")
    let failure = try #require(poll.status.failure)
    #expect(failure.hasPrefix("the page of ") && failure.contains("behind id 1") && failure.contains("out of memory"))
    #expect(poll.status.round == nil)
    await database.close()
    await server.shutdown(grace: .seconds(1))
  }

  @Test("what is not wanted is not read, and what another replica reads is not called read here")
  func unread() async throws {
    let server = try shop()
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let store = try TestStore()
    let database = try store.open([PollPlace.migration, Lease.migration, UnreadableItems.migration])
    let seen = Lock(0)
    let poll = poll(server, database, group) { _ in seen.withLock { $0 += 1 } }
    await poll.attempt { false }
    let lease = try await database.write {
      try Lease.acquire($0, key: "poll orders", holder: "another", for: .seconds(60))
    }
    await poll.attempt()
    #expect(poll.status == ShopPoll.Status() && seen.withLock { $0 } == 0)
    try await database.write { try lease?.release($0) }
    await poll.attempt { throw CommerceError(.failed, status: 500, request: "GET V1/modules", "broken") }
    #expect(poll.status.failure?.contains("broken") == true)
    await poll.attempt()
    #expect(poll.status.lastRead != nil && poll.status.failure == nil && seen.withLock { $0 } == 3)
    await database.close()
    await server.shutdown(grace: .seconds(1))
  }

  @Test("the doctor tells how a poll goes")
  func finding() {
    let failure = PageFailure(
      after: 7, size: 10, error: CommerceError(.noAnswer, request: "GET V1/orders", "no answer within 60 s"))
    let second: Int64 = 1_000_000_000
    let round = ShopPoll.Round(startedAt: now * second, read: 40)
    var stuck = round
    stuck.pageFailure = failure
    let cases: [(ShopPoll.Status, Omsconnector.V1.FindingLevel, String)] = [
      (.init(), .ok, "orders not read yet"),
      (.init(lastRead: now * second), .ok, "orders last read 2024-02-03 04:05:06 UTC"),
      (.init(round: round), .ok, "orders are read since 2024-02-03 04:05:06 UTC, 40 so far"),
      (
        .init(failure: "earlier", round: stuck), .warning,
        "but the page of 10 behind id 7 could not be read: GET V1/orders"
      ),
      (
        .init(lastRead: 0, failure: "away"), .error,
        "can't be read: away; last read to the end 1970-01-01 00:00:00 UTC"
      ),
    ]
    for (status, level, message) in cases {
      let finding = ShopPoll.finding(status, "order-polling", of: "orders")
      #expect(finding.level == level)
      #expect(finding.message.contains(message))
      #expect(finding.remedy.isEmpty == (level == .ok))
    }
  }

  private func place(_ database: Database) async throws -> Int64? {
    try await database.read { connection in
      try connection.withStatement("SELECT read_until FROM shop_poll WHERE name = 'orders'") { statement in
        try statement.step() ? statement.integer(0) : nil
      }
    }
  }
}

@Suite("Times of the shop")
struct ShopTimeTests {
  @Test(
    "seconds become Magento's text and come back",
    arguments: [(0, "1970-01-01 00:00:00"), (1_706_933_106, "2024-02-03 04:05:06"), (-1, "1969-12-31 23:59:59")])
  func text(seconds: Int64, text: String) {
    #expect(ShopTime.text(seconds) == text)
    #expect(ShopTime.seconds(text) == seconds)
  }

  @Test("what is no time is nil; what lies beyond all years is cut")
  func limits() {
    #expect(ShopTime.seconds("soon") == nil)
    #expect(ShopTime.text(.max) == "9999-12-31 23:59:59")
    #expect(ShopTime.text(.min) == "0001-01-01 00:00:00")
  }
}
