import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Messages that wait for their next try") struct DueMessagesTests {
  private static func at(_ seconds: Int64) -> WallTime { WallTime(seconds: 1_700_000_000 + seconds) }

  private func message(_ n: Int) -> OutgoingMessage {
    OutgoingMessage(
      deliveryID: "\(n)", method: "m", key: "k\(n)", destination: "remote", body: Array("{}".utf8), traceparent: "")
  }

  @Test("come in the order of their times, page by page, and others not at all", arguments: TestEngine.allCases)
  func due(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let database = try files.open(GatewaySchema.migrations)
    let store = JournalStore(database: database)
    for n in 1...8 { _ = try await store.enqueue(message(n), at: Self.at(0)) }
    for (id, seconds) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 40), (6, 50)] as [(Int64, Int64)] {
      try await store.postpone(id, attempts: AttemptLog(), reason: "", until: Self.at(seconds))
    }
    try await store.finish(5, .success, attempts: AttemptLog(), reason: "", result: [], at: Self.at(1))
    var place = DueMessage.Place.start
    var found: [Int64] = []
    var pages = 0
    while true {
      let page = try await store.due(destination: "remote", after: place, limit: 2)
      pages += 1
      found += page.messages.map(\.id)
      #expect(page.messages.allSatisfy { $0.key == "k\($0.id)" })
      guard !page.isLast, let last = page.messages.last else { break }
      place = last.place
    }
    #expect(found == [2, 4, 3, 1, 6] && pages == 3)
    let others = try await store.due(destination: "events", after: .start, limit: 2)
    #expect(others.messages.isEmpty && others.isLast)
    await database.close()
  }

  @Test("are given up together with their notices, and what has ended stays as it is", arguments: TestEngine.allCases)
  func giveUp(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let database = try files.open(GatewaySchema.migrations)
    let store = JournalStore(database: database)
    for n in 1...3 { _ = try await store.enqueue(message(n), at: Self.at(0)) }
    let page = try await store.pending(destination: "remote", after: 0, limits: PageLimits(rows: 10, weight: .max))
    try await store.finish(2, .success, attempts: AttemptLog(), reason: "", result: [], at: Self.at(1))
    for _ in 0..<2 {
      try await store.giveUp(page.messages, .dead, at: Self.at(2)) { message in
        ("over", ErrorNotice.of(message, reason: "over"))
      }
    }
    var receipts: [Receipt?] = []
    for id in 1...3 { receipts.append(try await store.receipt(Int64(id))) }
    #expect(receipts.map { $0?.status } == [.dead, .success, .dead] && receipts[0]?.reason == "over")
    let notices = try await store.pending(
      destination: ErrorNotice.route.rawValue, after: 0, limits: PageLimits(rows: 10, weight: .max))
    #expect(notices.messages.count == 2)
    await database.close()
  }
}
