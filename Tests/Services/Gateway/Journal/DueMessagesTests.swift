import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Messages that wait for their next try") struct DueMessagesTests {
  private static func at(_ seconds: Int64) -> WallTime { WallTime(seconds: 1_700_000_000 + seconds) }

  private func message(_ n: Int) -> OutgoingMessage {
    OutgoingMessage(
      deliveryID: "\(n)", method: "m", key: "k", destination: "remote", body: Array("{}".utf8), traceparent: "")
  }

  /// Adds messages of one partition.
  ///
  /// - Returns: their numbers.
  private func add(_ count: Int, to store: JournalStore) async throws -> [Int64] {
    var ids: [Int64] = []
    for n in 1...count {
      guard case .new(let id) = try await store.enqueue(message(n), at: Self.at(0)) else { continue }
      ids.append(id)
    }
    return ids
  }

  @Test("come in the order of their times, page by page, and others not at all", arguments: TestEngine.allCases)
  func due(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let database = try files.open(GatewaySchema.migrations)
    let store = JournalStore(database: database)
    let ids = try await add(8, to: store)
    let partition = store.partition(of: ids[0])
    for (n, seconds) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 40), (6, 50)] as [(Int, Int64)] {
      try await store.postpone(ids[n - 1], replay: 0, attempts: AttemptLog(), reason: "", until: Self.at(seconds))
    }
    try await store.finish(ids[4], replay: 0, .success, attempts: AttemptLog(), reason: "", result: [], at: Self.at(1))
    var place = DueMessage.Place.start
    var found: [Int64] = []
    var pages = 0
    while true {
      let page = try await store.due(destination: "remote", partition: partition, after: place, limit: 2)
      pages += 1
      found += page.messages.map(\.id)
      #expect(page.messages.allSatisfy { $0.key == "k" })
      guard !page.isLast, let last = page.messages.last else { break }
      place = last.place
    }
    #expect(found == [2, 4, 3, 1, 6].map { ids[$0 - 1] } && pages == 3)
    let others = try await store.due(destination: "events", partition: partition, after: .start, limit: 2)
    #expect(others.messages.isEmpty && others.isLast)
    await database.close()
  }

  @Test("are given up together with their notices, and what has ended stays as it is", arguments: TestEngine.allCases)
  func giveUp(engine: TestEngine) async throws {
    let files = try TestStore(engine)
    let database = try files.open(GatewaySchema.migrations)
    let store = JournalStore(database: database)
    let ids = try await add(3, to: store)
    let (partition, limits) = (store.partition(of: ids[0]), PageLimits(rows: 10, weight: .max))
    let page = try await store.pending(destination: "remote", partition: partition, after: 0, limits: limits)
    try await store.finish(ids[1], replay: 0, .success, attempts: AttemptLog(), reason: "", result: [], at: Self.at(1))
    for _ in 0..<2 {
      try await store.giveUp(page.messages, .dead, at: Self.at(2)) { message in
        ("over", ErrorNotice.of(message, reason: "over"))
      }
    }
    var receipts: [Receipt?] = []
    for id in ids { receipts.append(try await store.receipt(id)) }
    #expect(receipts.map { $0?.status } == [.dead, .success, .dead] && receipts[0]?.reason == "over")
    let notices = try await store.pending(
      destination: ErrorNotice.route.rawValue, partition: partition, after: 0, limits: limits)
    #expect(notices.messages.count == 2)
    await database.close()
  }
}
