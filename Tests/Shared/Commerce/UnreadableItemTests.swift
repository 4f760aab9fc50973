import EventLoop
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Commerce

/// A shop of orders that understands what it is asked for, and can't show some of them.
private final class BrokenShop: Sendable {
  struct State {
    var orders: Set<Int64>
    var broken: Set<Int64>
    /// Answers 500 to everything.
    var isAway = false
    var requests = 0
    /// What is answered to who asks for a broken one.
    var brokenAnswer: (status: Int, json: String)?
    /// Every search that finds something fails, whatever it finds.
    var failsOnAll = false
  }

  let state: SharedState
  private let server: QueryServer
  let client: CommerceClient
  let group: EventLoopGroup

  final class SharedState: Sendable {
    private let state: Lock<State>
    init(_ state: State) { self.state = Lock(state) }
    func withLock<R: Sendable>(_ body: (inout State) -> R) -> R { state.withLock { body(&$0) } }
  }

  init(_ orders: Set<Int64>, broken: Set<Int64>) throws {
    let shared = SharedState(State(orders: orders, broken: broken))
    state = shared
    server = try QueryServer { target in shared.withLock { $0.answer(target) } }
    var options = CommerceClient.Options()
    (options.firstPause, options.readTries) = (.milliseconds(1), 1)
    client = CommerceClient(
      url: "http://127.0.0.1:\(server.port)/", credentials: .bearer(Secret("secret")), options: options)
    group = try EventLoopGroup(loops: 1)
  }

  func stop() {
    server.stop()
    group.stop()
  }

  func poll(_ database: Database, seen: @escaping @Sendable ([Int64]) -> Void = { _ in }) -> ShopPoll {
    ShopPoll(
      .init(name: "orders", route: "V1/orders"), of: Shop(client: client, mapping: Mapping()), client, in: database,
      loop: group.loops[0]
    ) { items in seen(items.compactMap { $0["entity_id"].flatMap { Int64($0.text) } }) }
  }
}

extension BrokenShop.State {
  mutating func answer(_ target: String) -> (status: Int, json: String) {
    requests += 1
    let failure = (500, #"{"message":"Report ID: webapi-\#(requests)"}"#)
    if isAway { return failure }
    let values = { QueryServer.parameters(target, $0) }
    var found = orders
    for ((field, condition), value) in zip(zip(values("[field]"), values("[condition_type]")), values("[value]"))
    where field == "entity_id" {
      let listed = Set(value.split(separator: ",").compactMap { Int64($0) })
      guard let number = listed.first else { continue }
      found = found.filter { id in
        switch condition {
        case "gt": id > number
        case "lt": id < number
        case "lteq": id <= number
        case "eq": id == number
        case "nin": !listed.contains(id)
        default: true
        }
      }
    }
    let isAscending = values("[direction]").first != "DESC"
    let sorted = found.sorted { isAscending ? $0 < $1 : $0 > $1 }
    let size = values("[pageSize]").first.flatMap { Int($0) } ?? 20
    let number = values("[currentPage]").first.flatMap { Int($0) } ?? 1
    let page = sorted.dropFirst((number - 1) * size).prefix(size)
    if !broken.isDisjoint(with: page) { return brokenAnswer ?? failure }
    if failsOnAll && !page.isEmpty { return failure }
    return (
      200,
      "{\"items\":[\(page.map { "{\"entity_id\":\($0)}" }.joined(separator: ","))],\"total_count\":\(sorted.count)}"
    )
  }
}

@Suite("Items that the shop can't show", .timeLimit(.minutes(1)))
struct UnreadableItemTests {
  /// 2024-02-03 04:05:06
  private let now: Int64 = 1_706_933_106

  private static let migrations = [PollPlace.migration, Lease.migration, UnreadableItems.migration]

  private func noted(_ database: Database) async throws -> [Int64] {
    try await database.read { try UnreadableItems(of: "orders").all($0).map(\.id) }
  }

  @Test(
    "a round goes on behind one, and tells of it; it comes in once the shop can show it", arguments: TestEngine.allCases
  )
  func passedOver(engine: TestEngine) async throws {
    let shop = try BrokenShop(Set(1...700), broken: [345])
    let database = try TestStore(engine).open(Self.migrations)
    let seen = Lock<[Int64]>([])
    let poll = shop.poll(database) { ids in seen.withLock { $0 += ids } }
    #expect(try await poll.round(now: now))
    #expect(seen.withLock { $0.sorted() } == (1...700).filter { $0 != 345 })
    #expect(try await noted(database) == [345])
    let finding = try #require(try await poll.findings("order-polling", of: "orders").last)
    #expect(finding.level == .error && finding.message.contains("entity_id 345;") && !finding.remedy.isEmpty)
    #expect(finding.message.contains("GET V1/orders answers 500"))

    // Known, it costs one request a round, and none of the pages fails.
    shop.state.withLock { $0.requests = 0 }
    #expect(try await poll.round(now: now + 60))
    #expect(shop.state.withLock { $0.requests } == 4)
    #expect(try await noted(database) == [345])

    shop.state.withLock { $0.broken = [] }
    seen.withLock { $0 = [] }
    #expect(try await poll.round(now: now + 120))
    #expect(seen.withLock { $0.filter { $0 == 345 } } == [345])
    #expect(try await noted(database).isEmpty)
    #expect(try await poll.findings("order-polling", of: "orders").count == 1)
    await database.close()
    shop.stop()
  }

  @Test(
    "wherever they are, they are singled out",
    arguments: [[1], [700], [699, 700], [5, 6, 7], [1, 350, 1_000_000_000]] as [[Int64]])
  func places(broken: [Int64]) async throws {
    let shop = try BrokenShop(Set((1...700) + broken), broken: Set(broken))
    let database = try TestStore().open(Self.migrations)
    let seen = Lock<[Int64]>([])
    #expect(try await shop.poll(database) { ids in seen.withLock { $0 += ids } }.round(now: now))
    #expect(seen.withLock { $0.sorted() } == (1...700).filter { !broken.contains($0) })
    #expect(try await noted(database) == broken)
    await database.close()
    shop.stop()
  }

  @Test(
    "whatever the shop says of one, and whatever it said before",
    arguments: [
      (500, #"{"message":"Report ID: webapi-1"}"#),
      (400, #"{"message":"The payment method you requested is not available."}"#),
      (404, #"{"message":"The product that was requested doesn't exist. Verify the product and try again."}"#),
      (200, "Notice: Undefined index: title in Item.php on line 7 {\"items\":[],\"total_count\":0}"),
    ])
  func answers(status: Int, json: String) async throws {
    let shop = try BrokenShop(Set(1...50), broken: [20])
    let database = try TestStore().open(Self.migrations)
    let seen = Lock<[Int64]>([])
    let poll = shop.poll(database) { ids in seen.withLock { $0 += ids } }
    for round in 0..<2 {
      shop.state.withLock { $0.brokenAnswer = round == 0 ? (status, json) : (404, #"{"message":"no such entity"}"#) }
      #expect(try await poll.round(now: now + Int64(round) * 60))
      #expect(try await noted(database) == [20])
    }
    #expect(seen.withLock { Set($0) } == Set(1...50).subtracting([20]))
    await database.close()
    shop.stop()
  }

  @Test("one whose neighbours are broken, too, is passed over as long as the shop shows some other one")
  func neighbours() async throws {
    let shop = try BrokenShop(Set(1...50), broken: [1, 2, 48, 49])
    let database = try TestStore().open(Self.migrations)
    #expect(try await shop.poll(database).round(now: now))
    #expect(try await noted(database) == [1, 2, 48, 49])
    let list = ShopList(
      client: shop.client, route: "V1/orders", criteria: SearchCriteria(), id: .entity, store: "all")
    #expect(try await list.hasItem(besides: [49], PassedOver()))
    shop.state.withLock { $0.orders = [1, 2, 48, 49] }
    #expect(try await !list.hasItem(besides: [49], PassedOver()))
    await database.close()
    shop.stop()
  }

  @Test("what is gone from the shop is forgotten")
  func gone() async throws {
    let shop = try BrokenShop([1, 2, 3], broken: [2])
    let database = try TestStore().open(Self.migrations)
    let poll = shop.poll(database)
    #expect(try await poll.round(now: now))
    #expect(try await noted(database) == [2])
    shop.state.withLock { $0.orders = [1, 3] }
    #expect(try await poll.round(now: now + 60))
    #expect(try await noted(database).isEmpty)
    await database.close()
    shop.stop()
  }

  @Test("of a shop that is away nothing is passed over: the round fails, and begins again from its place")
  func away() async throws {
    let shop = try BrokenShop(Set(1...30), broken: [])
    let database = try TestStore().open(Self.migrations)
    let poll = shop.poll(database)
    for fails in [\BrokenShop.State.isAway, \.failsOnAll] {
      shop.state.withLock { $0[keyPath: fails] = true }
      await #expect(throws: CommerceError.self) { try await poll.round(now: now) }
      #expect(try await noted(database).isEmpty)
      shop.state.withLock { $0[keyPath: fails] = false }
      try await database.write { try $0.execute("UPDATE lease SET expires_at = 0") }
    }
    #expect(try await poll.round(now: now))
    await database.close()
    shop.stop()
  }

  @Test("a shop that shows nothing at all has no single items that it can't show")
  func nothingElse() async throws {
    let shop = try BrokenShop([1, 2], broken: [1, 2])
    let database = try TestStore().open(Self.migrations)
    await #expect(throws: CommerceError.self) { try await shop.poll(database).round(now: now) }
    #expect(try await noted(database).isEmpty)
    await database.close()
    shop.stop()
  }

  @Test("in a round no more than ten are passed over, and a hundred are noted in all")
  func bounded() async throws {
    let broken = Set((1...30).map { Int64($0 * 5) })
    let shop = try BrokenShop(Set(1...200), broken: broken)
    let database = try TestStore().open(Self.migrations)
    let earlier = (1...85).map {
      UnreadableItem(id: 1_000 + $0, error: CommerceError(.failed, request: "GET V1/orders", "no"))
    }
    try await UnreadableItems(of: "orders").note(earlier, in: database)
    let poll = shop.poll(database)
    for count in [95, 100, 100] {
      await #expect(throws: CommerceError.self) { try await poll.round(now: now) }
      try await database.write { try $0.execute("UPDATE lease SET expires_at = 0") }
      #expect(try await noted(database).count == count)
    }
    await database.close()
    shop.stop()
  }

  @Test("pages are as large as before behind one")
  func pageSize() async throws {
    let shop = try BrokenShop(Set(1...900), broken: [1])
    let size = PageSize(300)
    let page = try await shop.client.readPage(
      "V1/orders", SearchCriteria(), after: 0, pageSize: size, passing: PassedOver(limit: 1))
    #expect(page.unreadable.map(\.id) == [1] && page.items.count == 300 && page.last == 301 && size.current == 300)
    await #expect(throws: CommerceError.self) {
      try await shop.client.readPage("V1/orders", SearchCriteria(), after: 0, pageSize: PageSize(300))
    }
    shop.stop()
  }
}
