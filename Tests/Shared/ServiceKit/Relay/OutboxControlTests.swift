import EventLoop
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import ServiceKit

@Suite("OutboxControl")
struct OutboxControlTests {
  private typealias Calls = Omsconnector.Internal.V1.OutboxServiceMethods

  /// An outbox with refused messages of these bodies, and as many that wait as `waiting` says.
  private func withOutbox(
    _ engine: TestEngine = .sqlite, refused: [String], waiting: Int = 0,
    _ body: (Channel, _ ids: [String], _ wakes: () -> Int) async throws -> Void
  ) async throws {
    let store = try TemporaryDatabase([Outbox.migration, Outbox.refusedMigration, Outbox.numberMigration], on: engine)
    let outbox = Outbox(service: "sales")
    let ids = try await store.database.write { connection in
      try refused.map { text in
        let id = try outbox.add(
          connection, OutboxMessage(method: "a.b", key: "k", route: .delegate, body: Array(text.utf8)), now: 1_000)
        try outbox.refuse(connection, try outbox.row(of: id, connection) ?? 0, reason: "no \(text)", now: 2_000)
        return id
      }
    }
    try await store.database.write { connection in
      for _ in 0..<waiting {
        try outbox.add(connection, OutboxMessage(method: "a.b", key: "", route: .remote, body: []), now: 3_000)
      }
    }
    let wakes = Lock(0)
    let control = OutboxControl(outbox: outbox, database: store.database) { wakes.withLock { $0 += 1 } }
    try await withServer({ control.register(in: &$0) }) { channel, _ in
      try await body(channel, ids, { wakes.withLock { $0 } })
    }
    await store.database.close()
  }

  private func code(_ body: () async throws -> Void) async -> StatusCode? {
    do {
      try await body()
      return nil
    } catch { return (error as? RPCError)?.code }
  }

  @Test("what waits and what was refused is told", arguments: TestEngine.allCases)
  func looks(engine: TestEngine) async throws {
    try await withOutbox(engine, refused: ["1", "2", "3"], waiting: 2) { channel, ids, _ in
      let outbox = try await channel.unary(Calls.getOutbox, .init()).outbox
      #expect(
        outbox
          == .init(
            service: "sales", depth: 2, more: false, oldestAddedAt: .init(nanosecondsSinceEpoch: 3_000), refused: 3))
      let first = try await channel.unary(Calls.listRefused, .init(limit: 2)).messages
      #expect(first.map(\.deliveryId) == [ids[0], ids[1]])
      #expect(
        first[0]
          == .init(
            deliveryId: ids[0], service: "sales", method: "a.b", key: "k", route: "delegate",
            addedAt: .init(nanosecondsSinceEpoch: 1_000), refusedAt: .init(nanosecondsSinceEpoch: 2_000),
            reason: "no 1", state: .open, size: 1))
      let rest = try await channel.unary(Calls.listRefused, .init(afterDeliveryId: ids[1], limit: 2)).messages
      #expect(rest.map(\.deliveryId) == [ids[2]])
      #expect(try await channel.unary(Calls.getRefused, .init(deliveryId: ids[2])).body == Array("3".utf8))
    }
  }

  @Test("one is retried, or all; the relay is told, and each only goes once", arguments: TestEngine.allCases)
  func retries(engine: TestEngine) async throws {
    try await withOutbox(engine, refused: (1...70).map { "\($0)" }) { channel, ids, wakes in
      let one = try await channel.unary(Calls.retryRefused, .init(deliveryId: ids[4], retriedBy: "anna"))
      #expect(one.retried == 1 && one.deliveryId != ids[4] && one.deliveryId.hasPrefix("sales-"))
      #expect(wakes() == 1)
      #expect(
        await code { _ = try await channel.unary(Calls.retryRefused, .init(deliveryId: ids[4])) } == .failedPrecondition
      )
      let all = try await channel.unary(Calls.retryRefused, .init(retriedBy: "bob"))
      #expect(all.retried == 69 && wakes() == 3)
      #expect(try await channel.unary(Calls.retryRefused, .init()).retried == 0)
      let outbox = try await channel.unary(Calls.getOutbox, .init()).outbox
      #expect(outbox?.depth == 70 && outbox?.refused == 0)
      let message = try await channel.unary(Calls.getRefused, .init(deliveryId: ids[4])).message
      #expect(message?.state == .retried && message?.handledBy == "anna" && message?.outcome == one.deliveryId)
    }
  }

  @Test("a discarded message stays to be looked at, and does not go any more")
  func discards() async throws {
    try await withOutbox(refused: ["1", "2"]) { channel, ids, wakes in
      for _ in 0..<2 {
        let answer = try await channel.unary(
          Calls.discardRefused, .init(deliveryId: ids[0], reason: "old", discardedBy: "anna"))
        #expect(answer.message?.state == .discarded && answer.message?.outcome == "old")
      }
      #expect(
        await code { _ = try await channel.unary(Calls.discardRefused, .init(deliveryId: ids[0], reason: "other")) }
          == .failedPrecondition)
      #expect(
        await code { _ = try await channel.unary(Calls.retryRefused, .init(deliveryId: ids[0])) } == .failedPrecondition
      )
      #expect(try await channel.unary(Calls.listRefused, .init(limit: 9)).messages.map(\.deliveryId) == [ids[1]])
      #expect(try await channel.unary(Calls.listRefused, .init(limit: 9, showHandled: true)).messages.count == 2)
      #expect(wakes() == 0)
    }
  }

  @Test("what is asked wrongly is refused", arguments: ["", "sales-0-1", "inventory-1"])
  func refusals(id: String) async throws {
    try await withOutbox(refused: ["1"]) { channel, ids, _ in
      #expect(await code { _ = try await channel.unary(Calls.getRefused, .init(deliveryId: id)) } == .notFound)
      #expect(await code { _ = try await channel.unary(Calls.discardRefused, .init(deliveryId: id)) } == .notFound)
      #expect(
        await code { _ = try await channel.unary(Calls.getRefused, .init(deliveryId: ids[0] + "9")) } == .notFound)
      for limit in [0, -1, 1_001] as [Int32] {
        #expect(await code { _ = try await channel.unary(Calls.listRefused, .init(limit: limit)) } == .invalidArgument)
      }
    }
  }
}
