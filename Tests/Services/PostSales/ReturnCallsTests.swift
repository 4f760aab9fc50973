import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Calls about returns")
struct ReturnCallsTests {
  @Test("what is given up after two days of errors is said on the return")
  func givenUp() async throws {
    let world = try ReturnWorld()
    world.shop.fail(CommerceError(.unreachable, request: "GET V1/returns", "nobody listens"))
    try await world.tell(ReturnWorld.notice([(1, nil)]), giveUpAfter: .nanoseconds(-1))
    let record = try #require(try await world.record("RMA-1"))
    #expect(
      record.needsAttention && record.reason.hasPrefix("given up after 1 attempts: GET V1/returns: nobody listens"))
    world.shop.fail(nil)
    _ = try await world.channel.unary(PostSales.resumeReturn, .init(rma: "RMA-1"))
    #expect(try await world.work(on: record.key) == .done)
    #expect(world.shop.all.count == 1)
    #expect(try await world.record("RMA-1")?.needsAttention == false)
    await world.close()
  }

  @Test("a return that the shop fails to make each time says why, and is an operator's a day later")
  func failing() async throws {
    let world = try ReturnWorld()
    world.shop.failToCreate(CommerceError(.failed, status: 500, request: "POST V1/returns", "Report ID: webapi-1"))
    guard case .unsettled = try await world.tell(ReturnWorld.notice([(1, nil)])) else {
      throw RefundProblem("it is not tried again")
    }
    var record = try #require(try await world.record("RMA-1"))
    #expect(!record.needsAttention && record.reason.contains("Report ID: webapi-1"))
    guard case .unsettled = try await world.work(on: record.key, later: .seconds(3_600)) else {
      throw RefundProblem("it is not tried again")
    }
    #expect(try await world.work(on: record.key, later: .seconds(90_000)) == .done)
    record = try #require(try await world.record("RMA-1"))
    #expect(record.needsAttention && record.reason.contains("Report ID: webapi-1"))
    world.shop.failToCreate(nil)
    _ = try await world.channel.unary(PostSales.resumeReturn, .init(rma: "RMA-1"))
    #expect(try await world.work(on: record.key, later: .seconds(93_600)) == .done)
    #expect(world.shop.all.count == 1)
    await world.close()
  }

  @Test("what the OMS says again after it has said something else is said again on the return")
  func saidAgain() async throws {
    let world = try ReturnWorld()
    for (number, status) in ["WITH_CARRIER", "INSPECTED", "INSPECTED", "WITH_CARRIER"].enumerated() {
      var notice = ReturnWorld.notice([(1, nil)])
      (notice.statusCode, notice.statusAt) = (status, Int64(number + 1))
      try await world.tell(notice)
    }
    let said = try #require(world.shop.all.first).comments.dropFirst()
    #expect(said.map { $0.split(separator: " ").last } == ["WITH_CARRIER", "INSPECTED", "WITH_CARRIER"])
    await world.close()
  }

  @Test(
    "what can't be made yet is tried on, and is an operator's a day after the OMS has said it",
    arguments: [(Int64(0), false), (.max, false), (1, true)])
  func waits(statusAt: Int64, needsAttention: Bool) async throws {
    let world = try ReturnWorld()
    var notice = ReturnWorld.notice([(1, nil)])
    (notice.incrementID, notice.statusAt) = ("100000099", statusAt)
    try await world.tell(notice)
    let record = try #require(try await world.record("RMA-1"))
    #expect(record.needsAttention == needsAttention && record.reason.contains("no order 100000099"))
    await world.close()
  }

  private typealias PostSales = Omsconnector.V1.PostSalesServiceMethods

  @Test("a return that needs an operator is worked on again when it is resumed", arguments: TestEngine.allCases)
  func resumed(engine: TestEngine) async throws {
    let world = try ReturnWorld(engine)
    try await world.tell(ReturnWorld.notice([(1, nil)]))
    try await world.database.write { connection in
      var record = try #require(try ReturnStore().find(rma: "RMA-1", connection))
      (record.reason, record.needsAttention) = ("the shop's return 9 is gone", true)
      record.attributes = [.init(name: "channel", value: "hotline")]
      try ReturnStore().save(record, connection)
    }
    let resumed = try await world.channel.unary(PostSales.resumeReturn, .init(rma: "RMA-1")).return
    #expect(resumed?.needsAttention == false && resumed?.reason == "" && resumed?.lines.first?.quantity == nil)
    #expect(resumed?.attributes.map(\.value) == ["hotline"])
    #expect(try await world.database.read { try ReturnWork.queue.waiting($0, "oms RMA-1") } != nil)
    let entity = try #require(resumed?.entityId)
    #expect(try await world.channel.unary(PostSales.resumeReturn, .init(entityId: entity)).return?.rma == "RMA-1")
    for (code, request) in [
      (.notFound, .init(rma: "none")), (.invalidArgument, .init()), (.invalidArgument, .init(rma: "R", entityId: 1)),
    ] as [(StatusCode, Omsconnector.V1.ResumeReturnRequest)] {
      let error = await #expect(throws: RPCError.self) {
        _ = try await world.channel.unary(PostSales.resumeReturn, request)
      }
      #expect(error?.code == code)
    }
    await world.close()
  }
}
