import EventLoop
import Glibc
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import Inventory

@Suite("Reading the OMS's sources", .timeLimit(.minutes(1)))
struct SourceSearchTests {
  typealias Page = Magento.Oms.V1.SourceCollection

  static func page(_ total: Int32, _ ids: String...) -> Page {
    .init(total: total, items: ids.map { .init(id: $0, name: $0) })
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let pages: [Page]
    let found: [String]
    let doubt: String?
  }

  static let cases = [
    Case(testDescription: "one page", pages: [page(2, "a", "b")], found: ["a", "b"], doubt: nil),
    Case(testDescription: "none", pages: [page(0)], found: [], doubt: nil),
    Case(
      testDescription: "pages smaller than was asked for", pages: [page(3, "a"), page(3, "b", "c")],
      found: ["a", "b", "c"], doubt: nil),
    Case(
      testDescription: "one came meanwhile", pages: [page(2, "a"), page(3, "b", "c")], found: ["a", "b", "c"],
      doubt: "there were 2 sources, then 3"),
    Case(
      testDescription: "one moved to the next page", pages: [page(3, "a", "b"), page(3, "b")], found: ["a", "b"],
      doubt: #""b" came twice"#),
    Case(
      testDescription: "fewer than there are", pages: [page(5, "a", "b"), page(5)], found: ["a", "b"],
      doubt: "there are 5 sources, but 2 came"),
    Case(
      testDescription: "more than there are", pages: [page(0, "a"), page(0, "b"), page(0)], found: ["a", "b"],
      doubt: "there are 0 sources, but 1 came"),
  ]

  @Test("pages that fit together are complete, others leave a doubt", arguments: cases)
  func fits(each: Case) {
    var pages = SourcePages()
    for (index, page) in each.pages.enumerated() { #expect(pages.add(page) == (index + 1 < each.pages.count)) }
    #expect(pages.sources.map(\.id) == each.found && pages.doubt == each.doubt)
  }

  @Test("a total that grows with each page ends all the same")
  func growing() {
    var pages = SourcePages()
    var count: Int32 = 0
    repeat { count += 1 } while pages.add(Self.page(count + 1, "s\(count)")) && count < 5_000
    #expect(count == SourcePages.pageLimit && pages.doubt != nil)
  }

  /// A gateway whose OMS answers pages as the test says.
  private static func withGateway<Result>(
    _ stock: TemporaryStock, _ answer: @escaping @Sendable (_ offset: Int32) -> String,
    _ body: (_ replica: () -> SourceSearch) async throws -> Result
  ) async throws -> Result {
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    var router = Router()
    router.unary(Omsconnector.Internal.V1.DeliveryServiceMethods.call) { request, _ in
      let query = try Magento.Oms.V1.SourceSearch(json: JSONDocument(parsing: request.body).root)
      return .init(result: Array(answer(query.query?.offset ?? 0).utf8))
    }
    let server = Server(group: group, router: router)
    let address = try server.listen(on: Address(parsing: "unix:\(stock.directory)/oms"))
    let channel = Channel(target: Target(address), group: group)
    let result = try await body {
      SourceSearch(store: SourceStore(stock.database), gateway: channel, loop: group.loops[0])
    }
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    return result
  }

  private static func search(
    _ stock: TemporaryStock, _ answer: @escaping @Sendable (_ offset: Int32) -> String
  ) async throws -> [String] {
    let doubt = try await withGateway(stock, answer) { replica in
      do {
        try await replica().search()
      } catch let error as InconsistentSources {
        return [error.doubt]
      }
      return []
    }
    let sources = try await SourceStore(stock.database).page(after: "", limit: 100).sources
    return sources.map { $0.sourceId + ($0.deleted ? " deleted" : "") } + doubt
  }

  @Test("of replicas one asks, once a day; when it fails, whichever is next", arguments: TestEngine.allCases)
  func replicas(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let asked = Lock(0)
    let isBroken = Lock(true)
    let answer = { @Sendable (_: Int32) in
      asked.withLock { $0 += 1 }
      return isBroken.withLock { $0 } ? #"{"total":2,"items":[{"id":"a"}]}"# : #"{"total":1,"items":[{"id":"a"}]}"#
    }
    try await Self.withGateway(stock, answer) { replica in
      let (one, other) = (replica(), replica())
      await #expect(throws: InconsistentSources.self) { try await one.round() }
      isBroken.withLock { $0 = false }
      asked.withLock { $0 = 0 }
      let rounds = [try await other.round(), try await one.round(), try await other.round()]
      #expect(rounds == [true, false, true], "who has asked may ask again")
      #expect(asked.withLock { $0 } == 2)
    }
    let rest = try await stock.database.read { connection in
      try connection.withStatement("SELECT expires_at - granted_at FROM lease WHERE key = 'sources'") {
        try $0.step() ? $0.integer(0) : 0
      }
    }
    #expect(Duration.nanoseconds(rest) == SourceSearch.interval)
    await stock.database.close()
  }

  @Test(
    "what is not named is deleted after a complete read only",
    arguments: [
      (#"{"total":1,"items":[{"id":"a"}]}"#, ["a", "old deleted"]),
      (#"{"total":2,"items":[{"id":"a"}]}"#, ["a", "old", #""a" came twice"#]),
      (#"{"total":0,"items":[]}"#, ["old deleted"]),
      ("[]", ["old"]), ("null", ["old"]),
    ])
  func deletes(answer: String, found: [String]) async throws {
    let stock = try TemporaryStock()
    try await SourceStore(stock.database).replace(
      with: [.init(id: "old", name: "old")], isComplete: true, askedAt: 1, at: 2)
    #expect(try await Self.search(stock) { _ in answer } == found)
    await stock.database.close()
  }
}
