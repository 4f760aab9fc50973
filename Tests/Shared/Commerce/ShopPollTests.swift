import EventLoop
import HTTP
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
    _ server: HTTPServer, _ database: Database, _ group: EventLoopGroup,
    _ seen: @escaping @Sendable (Int64) throws -> Void
  ) -> ShopPoll {
    let client = CommerceClient(url: "http://\(server.address)/", credentials: .bearer(Secret("secret")))
    return ShopPoll(
      .init(name: "orders", route: "V1/orders"), of: Shop(client: client, mapping: Mapping()), client,
      in: database, loop: group.loops[0]
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

  @Test("a round that fails is done again from the same place, by one replica at a time, also after a restart")
  func failing() async throws {
    let server = try shop()
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let store = try TestStore()
    let database = try store.open([ShopPoll.migration, Lease.migration])
    struct Full: Error {}
    let failing = poll(server, database, group) { id in if id == 3 { throw Full() } }
    await #expect(throws: Full.self) { try await failing.round(now: now) }
    let other = try store.open([ShopPoll.migration, Lease.migration])
    let seen = Lock<[Int64]>([])
    let second = poll(server, other, group) { id in seen.withLock { $0.append(id) } }
    #expect(try await !second.round(now: now), "the first one's lease is not over")
    #expect(try await place(other) == nil)
    try await other.write { try $0.execute("UPDATE lease SET expires_at = 0") }
    #expect(try await second.round(now: now))
    #expect(seen.withLock { $0 } == [1, 2, 3])
    #expect(try await place(other) == now - 5, "Magento's rows may show up seconds after their stamp")
    #expect(try await second.round(now: now - 100), "the lease was given back")
    #expect(try await place(other) == now - 5, "a clock that goes back loses nothing")
    await database.close()
    await other.close()
    await server.shutdown(grace: .seconds(1))
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
