import HTTP
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Inventory

/// A bulk job runs when the shop has time: what was sent beside or after it must not be put back by it.
@Suite("Pushing by bulk jobs", .timeLimit(.minutes(2)))
struct BulkPushTests {
  private static let skus = PushBench.skus(PushLimits.bulkFrom)
  private static let patience = StockPusher.bulkPatience + 1_000_000_000

  private static func isAsynchronous(_ request: ScriptedShop.Request) -> Bool { request.route.hasPrefix("async/") }
  private static func isStatus(_ request: ScriptedShop.Request) -> Bool { request.route.hasPrefix("V1/bulk/") }

  private static func bench(
    _ engine: TestEngine = .sqlite,
    _ answer: @escaping @Sendable (ScriptedShop.Request) -> HTTPResponse? = { _ in nil }
  ) async throws -> PushBench {
    let bench = try await PushBench(engine, PushedShop(skus, answer))
    try await bench.stock.apply(.full, at: 10, skus.map { TestRow($0, 1) })
    return bench
  }

  private static func reason(_ outcomes: [WorkOutcome]) -> String {
    guard outcomes.count == 1, case .again(_, let reason) = outcomes[0] else { return "\(outcomes)" }
    return reason
  }

  @Test(
    "many rows go as one job, which is waited for; what changed meanwhile follows it", arguments: TestEngine.allCases)
  func job(engine: TestEngine) async throws {
    let bench = try await Self.bench(engine)
    for _ in 1...2 { #expect(Self.reason(try await bench.push()) == "bulk job job-1 is under way") }
    #expect(bench.shop.writes == ["async 500"])
    try await bench.stock.apply(.delta, at: 20, [TestRow(Self.skus[0], 2)])
    #expect(Self.reason(try await bench.push()) == "bulk job job-1 is under way")
    bench.shop.run(1)
    #expect(try await bench.push() == [.done])
    #expect(bench.shop.writes == ["async 500", "V1 1"])
    #expect(bench.shop.quantity(Self.skus[0]) == "2" && bench.shop.quantity(Self.skus[499]) == "1")
    #expect(try await bench.bulk() == nil)
    #expect(try await bench.status().pending == 0)
    await bench.stop()
  }

  @Test("a job that did not pass goes in small parts, which tell why", arguments: [2, 3, 5])
  func refused(status: Int) async throws {
    let bench = try await Self.bench()
    try await bench.push()
    bench.shop.setStatus(1, status)
    #expect(try await bench.push() == [.done])
    #expect(bench.shop.writes.filter { $0.hasPrefix("async") }.count == 1)
    #expect(try await bench.status().pending == 0)
    await bench.stop()
  }

  @Test("a shop without bulk jobs is sent small parts", arguments: [404, 400])
  func noBulk(status: Int) async throws {
    let bench = try await Self.bench { request in
      Self.isAsynchronous(request) ? .json(status: status, #"{"message":"no"}"#) : nil
    }
    try await bench.push()
    #expect(try await bench.bulk() == nil)
    #expect(try await bench.push() == [.done])
    #expect(bench.shop.quantity(Self.skus[0]) == "1")
    await bench.stop()
  }

  @Test(
    "a job whose answer was lost: the newest value wins in the end, whenever it runs", arguments: TestEngine.allCases)
  func lostAnswer(engine: TestEngine) async throws {
    let jobs = Counter()
    let bench = try await Self.bench(engine) { request in
      guard Self.isAsynchronous(request) else { return nil }
      jobs.add()
      return jobs.value == 1 ? HTTPResponse(status: 500) : nil
    }
    #expect(Self.reason(try await bench.push()).contains("answers 500"))
    // It goes beside the job at once, and not as another job.
    let reason = "a bulk job that was lost may still run"
    #expect(Self.reason(try await bench.push()) == reason)
    #expect(bench.shop.quantity(Self.skus[0]) == "1" && bench.shop.writes.filter { $0.hasPrefix("async") }.count == 1)
    try await bench.stock.apply(.delta, at: 20, [TestRow(Self.skus[0], 2)])
    #expect(Self.reason(try await bench.push()) == reason)
    #expect(bench.shop.quantity(Self.skus[0]) == "2")
    bench.shop.run(1)
    #expect(bench.shop.quantity(Self.skus[0]) == "1")
    #expect(Self.reason(try await bench.push()) == reason)
    #expect(try await bench.status().lostJob.hasPrefix("the shop's answer to a bulk job was lost"))
    bench.advance(by: Self.patience)
    try await bench.push()
    bench.shop.run(2)
    for _ in 1...2 { try await bench.push() }
    #expect(try await bench.claim().isEmpty)
    #expect(bench.shop.quantity(Self.skus[0]) == "2")
    let status = try await bench.status()
    #expect(status.pending == 0 && status.lostJob.isEmpty)
    #expect(try await bench.bulk() == nil)
    await bench.stop()
  }

  @Test("a job that a replica was about to send when it died counts as one whose answer was lost")
  func died() async throws {
    let bench = try await Self.bench()
    let key = PushKey("EU-WEB", 0)
    try await bench.stock.database.write { connection in
      let rows = try PushQueue.due(key, limit: 1_000, connection)
      try PushQueue.open(OpenBulk(openedAt: WallClock.nanoseconds()), rows, key, connection)
    }
    #expect(Self.reason(try await bench.push()) == "a bulk job that was lost may still run")
    #expect(bench.shop.quantity(Self.skus[0]) == "1")
    // The replica was only slow: its job is not followed any more.
    let lost = try #require(try await bench.bulk())
    try await bench.stock.database.write { try PushQueue.accepted(lost, as: "late", key, $0) }
    #expect(try await bench.bulk() == lost)
    await bench.stop()
  }

  @Test("a job whose state can't be read is waited for, but not for ever", arguments: [401, 500, 200])
  func unreadable(status: Int) async throws {
    let bench = try await Self.bench { request in
      Self.isStatus(request) ? .json(status: status, #"{"message":"no","operations_list":1}"#) : nil
    }
    try await bench.push()
    #expect(Self.reason(try await bench.push()).contains("V1/bulk/job-1/status"))
    #expect(try await bench.status().lastError.contains("V1/bulk/job-1/status"))
    #expect(bench.shop.writes == ["async 500"])
    bench.advance(by: Self.patience)
    #expect(Self.reason(try await bench.push()) == "a bulk job that was lost may still run")
    #expect(bench.shop.quantity(Self.skus[0]) == "1" && bench.shop.writes.filter { $0.hasPrefix("async") }.count == 1)
    let told = try await bench.status()
    #expect(
      told.pending == 0 && told.lostJob.hasPrefix("what has become of bulk job job-1 can't be read: GET V1/bulk/"))
    await bench.stop()
  }

  @Test("a job that the shop doesn't know any more is sent anew at once")
  func unknown() async throws {
    let bench = try await Self.bench { request in
      Self.isStatus(request) ? .json(status: 404, #"{"message":"no such job"}"#) : nil
    }
    try await bench.push()
    #expect(Self.reason(try await bench.push()) == "a bulk job that was lost may still run")
    #expect(bench.shop.quantity(Self.skus[0]) == "1")
    #expect(try await bench.status().lostJob.hasPrefix("the shop doesn't know bulk job job-1"))
    await bench.stop()
  }

  @Test("a job of which the shop tells nothing is waited for, but not for ever")
  func silent() async throws {
    let bench = try await Self.bench { request in
      Self.isStatus(request) ? .json(#"{"operations_list":[]}"#) : nil
    }
    for _ in 1...2 { #expect(Self.reason(try await bench.push()) == "bulk job job-1 is under way") }
    bench.advance(by: Self.patience)
    #expect(Self.reason(try await bench.push()) == "a bulk job that was lost may still run")
    #expect(bench.shop.quantity(Self.skus[0]) == "1")
    #expect(try await bench.status().lostJob.hasPrefix("the shop tells nothing of the operations of bulk job job-1"))
    await bench.stop()
  }

  @Test("a job that the shop has not finished for long is told of, and still waited for")
  func stuck() async throws {
    let bench = try await Self.bench()
    try await bench.push()
    bench.advance(by: Self.patience)
    #expect(Self.reason(try await bench.push()) == "bulk job job-1 is under way")
    #expect(try await bench.status().lastError.contains("does the shop's consumer async.operations.all run?"))
    bench.shop.run(1)
    #expect(try await bench.push() == [.done])
    #expect(try await bench.status().lastError.isEmpty)
    await bench.stop()
  }
}
