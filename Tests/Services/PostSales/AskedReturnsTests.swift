import Messages
import RPC
import ServiceKit
import Storage
import Stubs
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Returns that are asked for in the shop")
struct AskedReturnsTests {
  private typealias PostSales = Omsconnector.V1.PostSalesServiceMethods

  private static func with(
    _ engine: TestEngine = .sqlite, _ body: (ReturnWorld) async throws -> Void
  ) async throws {
    let world = try ReturnWorld(engine)
    do {
      try await body(world)
    } catch {
      await world.close()
      throw error
    }
    await world.close()
  }

  /// When returns are found, in nanoseconds since 1970.
  private static let found: Int64 = 1_706_933_106_000_000_000

  /// One attempt at what was found, at a time after it was first seen.
  private static func attempt(_ world: ReturnWorld, after age: Duration = .zero) async throws -> WorkOutcome? {
    let items = try await world.database.write { connection in
      try AuthorizeReturn.queue.add(connection, "5")
      return try AuthorizeReturn.queue.claim(connection, limit: 1, holder: "test", for: .seconds(60))
    }
    guard let item = items.first else { return nil }
    var authorize = world.authorize
    let seen = try await record(world)?.createdAt ?? found
    authorize.now = { seen + Int64(clamping: age.nanoseconds) }
    let outcome = try await authorize.attempt(item)
    try await world.database.write { connection in
      switch outcome {
      case .parked(let reason): try AuthorizeReturn.queue.park(connection, item, reason: reason)
      default: try AuthorizeReturn.queue.finish(connection, item)
      }
    }
    return outcome
  }

  private static func record(_ world: ReturnWorld) async throws -> ReturnRecord? {
    try await world.database.read { try ReturnStore().find(entityID: 5, $0) }
  }

  @Test("wait for their order to be with the OMS; after a day an operator is told", arguments: TestEngine.allCases)
  func early(engine: TestEngine) async throws {
    try await Self.with(engine) { world in
      var order = ReturnWorld.order
      order.isWithOMS = false
      world.book.add(order)
      world.shop.put(ReturnWorld.asked(5, item: 3, "1"))
      guard case .again = try await Self.attempt(world) else { throw RefundProblem("it did not wait") }
      var record = try #require(try await Self.record(world))
      #expect(!record.needsAttention && record.reason.contains("100000007 of return 5 was not exported"))
      guard case .again = try await Self.attempt(world, after: .seconds(90_000)) else {
        throw RefundProblem("it did not go on waiting")
      }
      record = try #require(try await Self.record(world))
      #expect(record.needsAttention)
      world.book.add(ReturnWorld.order)
      #expect(try await Self.attempt(world) == .done)
      record = try #require(try await Self.record(world))
      #expect(!record.needsAttention && record.reason.isEmpty && record.lines.map(\.number) == [3])
      #expect(record.isAsked && record.state == .requested && record.createdAt == Self.found)
    }
  }

  @Test("that can't be asked for are an operator's, counted, and tried again when they are resumed")
  func unfit() async throws {
    try await Self.with { world in
      world.shop.put(ReturnWorld.asked(5, item: 3, "9"))
      guard case .parked = try await Self.attempt(world) else { throw RefundProblem("it is not parked") }
      let record = try #require(try await Self.record(world))
      #expect(record.needsAttention && record.reason.contains("are left to return"))
      let counts = try await world.database.read { try PostSalesCapabilities.Counts($0) }
      #expect(counts.returnsParked == 1 && counts.returnsOfConcern == 1)
      world.shop.remove(5)
      world.shop.put(ReturnWorld.asked(5, item: 3, "2"))
      _ = try await world.channel.unary(PostSales.resumeReturn, .init(entityId: 5))
      let waiting = try await world.database.read { try AuthorizeReturn.queue.waiting($0, "5") }
      #expect(waiting?.isParked == false)
      #expect(try await Self.attempt(world) == .done)
      #expect(try await Self.record(world)?.lines.count == 2)
    }
  }

  @Test("that somebody asks for by hand after all are not counted any more")
  func byHand() async throws {
    try await Self.with { world in
      world.shop.put(ReturnWorld.asked(5, item: 3, "9"))
      _ = try await Self.attempt(world)
      world.shop.remove(5)
      world.shop.put(ReturnWorld.asked(5, item: 3, "1"))
      _ = try await world.channel.unary(PostSales.authorizeReturn, .init(entityId: 5))
      #expect(try await world.database.read { try AuthorizeReturn.queue.count($0) }.parked == 0)
      #expect(try await Self.attempt(world) == .done)
    }
  }

  @Test("that are gone again, or were made for the OMS, are nobody's concern")
  func gone() async throws {
    try await Self.with { world in
      #expect(try await Self.attempt(world) == .done)
      #expect(try await Self.record(world) == nil)
      try await world.tell(ReturnWorld.notice([(4, nil)]))
      world.shop.put(ReturnWorld.asked(5, item: 3, "1", comments: ["OMS return RMA-1"]))
      #expect(try await Self.attempt(world) == .done)
      #expect(try await Self.record(world) == nil)
    }
  }

  @Test(
    "that the OMS refuses need an operator, and are asked for anew when they are resumed",
    arguments: TestEngine.allCases)
  func refused(engine: TestEngine) async throws {
    try await Self.with(engine) { world in
      world.shop.put(ReturnWorld.asked(5, item: 3, "1"))
      let first = try await world.authorize(5).deliveryID
      for delivery in [first, "post-sales-ffffffffffffffff-99", ""] {
        _ = try await world.channel.unary(
          Omsconnector.Internal.V1.MessageConsumerServiceMethods.consume,
          .init(
            deliveryId: "\"e \(delivery)\"", method: ReturnRefusal.created,
            body: Array(
              #"{"topic":"\#(AuthorizeReturn.authorize)","message":"no such line","delivery_id":"\#(delivery)","payload":{}}"#
                .utf8)))
      }
      var record = try #require(try await Self.record(world))
      #expect(record.needsAttention && record.reason == "the OMS refused it: no such line")
      _ = try await world.channel.unary(PostSales.resumeReturn, .init(entityId: 5))
      #expect(try await Self.attempt(world) == .done)
      record = try #require(try await Self.record(world))
      #expect(!record.needsAttention && record.isAsked && record.deliveryID != first)
    }
  }

  @Test("that the OMS has answered are not refused by what comes late")
  func late() {
    var record = ReturnRecord(blind: ReturnWorld.notice([(3, nil)]), now: 1)
    record.take(ReturnWorld.notice([(3, nil)]))
    let before = record
    record.refuse("no such line")
    #expect(record == before)
  }

  @Test("one that can't be read does not keep the others from the OMS")
  func unreadable() async throws {
    try await Self.with { world in
      let items = try JSONDocument(
        parsing: Array(
          #"""
          [{"entity_id":"x"},{"entity_id":4,"order_increment_id":"100000007","items":"none"},7,
           {"entity_id":5,"order_increment_id":"100000007","status":"pending","items":[]}]
          """#.utf8)
      ).root.elements
      for _ in 0..<2 {
        let page = ReturnPolling.Page(try #require(items))
        try await world.database.write { try page.take($0) }
      }
      let (waiting, listed) = try await world.database.read { connection in
        (
          try ["4", "5"].map { try AuthorizeReturn.queue.waiting(connection, $0) != nil },
          try ReturnStore().page(needsAttention: true, before: nil, limit: 9, connection)
        )
      }
      #expect(waiting == [true, true])
      #expect(listed.map(\.entityID) == [4] && listed[0].reason.hasPrefix("the shop's return 4 can't be read: "))
    }
  }
}
