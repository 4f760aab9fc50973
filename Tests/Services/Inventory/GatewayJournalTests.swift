import EventLoop
import Glibc
import Messages
import RPC
import Stubs
import Testing

@testable import Inventory

@Suite("What the gateway's journal is asked")
struct GatewayJournalTests {
  private typealias Methods = Omsconnector.V1.JournalServiceMethods

  /// A gateway whose journal has nothing, and what it was asked for.
  private static func asked(
    _ body: (GatewayJournal) async throws -> Void
  ) async throws -> [Omsconnector.V1.MessageFilter] {
    let asked = Lock([Omsconnector.V1.MessageFilter]())
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    var router = Router()
    router.unary(Methods.listMessages) { request, _ in
      if let filter = request.filter { asked.withLock { $0.append(filter) } }
      return .init()
    }
    let server = Server(group: group, router: router)
    let path = "/tmp/oms-journal-\(getpid())-\(UInt32.random(in: .min ... .max)).sock"
    let channel = Channel(target: Target(try server.listen(on: .unix(path: path))), group: group)
    defer { for suffix in ["", ".lock"] { unlink(path + suffix) } }
    try await body(GatewayJournal(channel: channel))
    channel.shutdown()
    _ = await server.shutdown(grace: .seconds(1))
    return asked.withLock { $0 }
  }

  @Test("what waits of an aggregate, and what of it has failed and is not dealt with")
  func filters() async throws {
    let filters = try await Self.asked { journal in
      let isWaiting = try await journal.hasWaiting(of: "EU")
      let failed = try await journal.failed(of: "EU", since: 5_000_000_000, token: "")
      let old = try await journal.failed(of: "EU", since: -5, token: "")
      #expect(!isWaiting && failed.messages.isEmpty && old.token.isEmpty)
    }
    let statuses: [[Omsconnector.V1.MessageStatus]] = [[.pending], [.error, .dead], [.error, .dead]]
    let since: [Int64?] = [nil, 5, 0]
    try #require(filters.count == 3)
    for (index, filter) in filters.enumerated() {
      #expect(filter.statuses == statuses[index] && filter.since?.seconds == since[index])
      #expect(filter.key == "EU" && filter.direction == .incoming)
      #expect(filter.method == StockMessageConsumer.aggregateStockUpdated)
    }
  }
}
