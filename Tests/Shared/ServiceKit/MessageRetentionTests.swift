import EventLoop
import Storage
import Testing

@testable import ServiceKit

@Suite("Retention of messages")
struct MessageRetentionTests {
  @Test("a round goes on until nothing old is left, in every table, a bounded number of rows at a time")
  func round() async throws {
    let store = try TemporaryDatabase([Inbox.migration, Inbox.keyMigration, Outbox.migration, Outbox.numberMigration])
    let count = 2 * Inbox.removalLimit + 8
    for number in 0..<count {
      _ = try store.database.enqueueWrite { connection in
        try Inbox.once(
          connection, Delivery(id: "\(number)", method: "m", replay: 0, body: []), now: Int64(number)
        ) { _ in (0, []) }
      }
    }
    let sizes = Lock<[Int]>([])
    let removal: MessageRetention.Removal = { connection, now in
      let removed = try Inbox.removeOld(connection, now: now)
      sizes.withLock { $0.append(removed) }
      return removed
    }
    let group = try EventLoopGroup(loops: 1)
    defer { group.stop() }
    let retention = MessageRetention(store.database, loop: group.loops[0], of: [removal, Outbox.removeOldRefused])
    // The last five are a nanosecond too young.
    await retention.round(now: Int64(count - 5) + Int64(Inbox.retention.nanoseconds))
    #expect(sizes.withLock { $0 } == [Inbox.removalLimit, Inbox.removalLimit, 3])
    await store.database.close()
  }
}
