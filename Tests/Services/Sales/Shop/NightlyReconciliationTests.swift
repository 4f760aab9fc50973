import EventLoop
import HTTP
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import Sales

@Suite("The nightly look at the shop's orders", .timeLimit(.minutes(1)))
struct NightlyReconciliationTests {
  /// 2024-02-03 00:00:00
  private static let midnight: Int64 = 1_706_918_400
  private static let hour: Int64 = 3_600
  private static let day = 24 * hour

  /// A shop of one order that polling has not seen, and replicas of the service.
  private final class Site: Sendable {
    let test: TestExport
    let server: HTTPServer
    let group: EventLoopGroup
    let shop: Shop

    final class Shop: Sendable {
      let requests = Lock(0)
      let isAway = Lock(false)
    }

    init(_ engine: TestEngine) throws {
      test = try TestExport(engine)
      group = try EventLoopGroup(loops: 1)
      let shop = Shop()
      self.shop = shop
      let order =
        #"{"entity_id":7,"increment_id":"000000007","store_id":1,"state":"new","created_at":"2024-02-02 23:00:00"}"#
      server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { _ in
        shop.requests.withLock { $0 += 1 }
        if shop.isAway.withLock({ $0 }) { return .json(status: 400, #"{"message":"away"}"#) }
        return .json(#"{"items":[\#(order)],"total_count":1}"#)
      }
    }

    /// Each has a holder of its own.
    func replica() -> NightlyReconciliation {
      let client = CommerceClient(url: "http://\(server.address)/", credentials: .bearer(Secret("secret")))
      return NightlyReconciliation(
        intake: OrderIntake(export: test.export()), client: client, pageSize: PageSize(), loop: group.loops[0])
    }

    func stop() async {
      await server.shutdown(grace: .seconds(1))
      await test.sales.database.close()
      group.stop()
    }
  }

  @Test(
    "a night begins at two o'clock, UTC",
    arguments: [(0, -22), (7_199, -22), (7_200, 2), (43_200, 2), (90_000, 2), (93_600, 26)] as [(Int64, Int64)])
  func nights(after: Int64, expectedHour: Int64) {
    #expect(
      NightlyReconciliation.lastNight(before: Self.midnight + after) == Self.midnight + expectedHour * Self.hour)
  }

  @Test("it looks back two days behind the last look, however long that is ago")
  func window() {
    let now = Self.midnight + 3 * Self.hour
    for (last, since) in [(nil, "2024-02-01 03:00:00"), (now - 8 * Self.day, "2024-01-24 03:00:00")] {
      let query = NightlyReconciliation.criteria(last: last, now: now).query
      #expect(query.contains { $0.value == "created_at" } && query.contains { $0.value == since })
    }
  }

  @Test("once a night it finds what polling has missed, by whichever replica", arguments: TestEngine.allCases)
  func once(engine: TestEngine) async throws {
    let site = try Site(engine)
    let (first, second) = (site.replica(), site.replica())
    let store = site.test.store
    #expect(try await store.database.read { try store.order($0, "000000007") } == nil)
    #expect(try await first.round(now: Self.midnight + 3 * Self.hour))
    #expect(try await store.database.read { try store.order($0, "000000007") } != nil)
    #expect(try await !first.round(now: Self.midnight + 4 * Self.hour))
    #expect(try await !second.round(now: Self.midnight + 25 * Self.hour), "the same night, as seen by another")
    #expect(site.shop.requests.withLock { $0 } == 1)
    #expect(try await second.round(now: Self.midnight + 26 * Self.hour))
    #expect(site.shop.requests.withLock { $0 } == 2)
    await site.stop()
  }

  @Test("an order that the shop can't show keeps no other from being found, and is left to polling")
  func unreadable() async throws {
    let site = try Site(.sqlite)
    // Whatever holds the order 7 fails.
    let server = try QueryServer { target in
      let conditions = zip(
        QueryServer.parameters(target, "[condition_type]"), QueryServer.parameters(target, "[value]"))
      var ids: Set<Int64> = [7, 8]
      for (condition, value) in conditions {
        guard let number = Int64(value) else { continue }
        if condition == "gt" { ids = ids.filter { $0 > number } }
        if condition == "lteq" { ids = ids.filter { $0 <= number } }
        if condition == "nin" { ids.remove(number) }
      }
      if ids.contains(7) { return (500, #"{"message":"Report ID: webapi-1"}"#) }
      let order =
        #"{"entity_id":8,"increment_id":"000000008","store_id":1,"state":"new","created_at":"2024-02-02 23:00:00"}"#
      return (200, #"{"items":[\#(ids.isEmpty ? "" : order)],"total_count":\#(ids.count)}"#)
    }
    var options = CommerceClient.Options()
    (options.firstPause, options.readTries) = (.milliseconds(1), 1)
    let client = CommerceClient(
      url: "http://127.0.0.1:\(server.port)/", credentials: .bearer(Secret("secret")), options: options)
    let nightly = NightlyReconciliation(
      intake: OrderIntake(export: site.test.export()), client: client, pageSize: PageSize(), loop: site.group.loops[0])
    let store = site.test.store
    for night in [3, 27] as [Int64] {
      #expect(try await nightly.round(now: Self.midnight + night * Self.hour))
      #expect(try await store.database.read { try store.order($0, "000000008") } != nil)
      let noted = try await store.database.read { try UnreadableItems(of: OrderIntake.pollName).all($0) }
      #expect(noted.map(\.id) == [7])
    }
    server.stop()
    await site.stop()
  }

  @Test("a look that fails is made again the same night, by whichever replica")
  func failing() async throws {
    let site = try Site(.sqlite)
    let (first, second) = (site.replica(), site.replica())
    let now = Self.midnight + 3 * Self.hour
    site.shop.isAway.withLock { $0 = true }
    await #expect(throws: CommerceError.self) { try await first.round(now: now) }
    site.shop.isAway.withLock { $0 = false }
    #expect(try await second.round(now: now + 1))
    #expect(try await !first.round(now: now + 2))
    await site.stop()
  }

  @Test("a look that another replica makes is left to it")
  func leased() async throws {
    let site = try Site(.sqlite)
    _ = try await site.test.store.database.write {
      try Lease.acquire($0, key: "orders by night", holder: "another", for: .seconds(60))
    }
    #expect(try await !site.replica().round(now: Self.midnight + 3 * Self.hour))
    #expect(site.shop.requests.withLock { $0 } == 0)
    await site.stop()
  }
}
