import EventLoop
import ServiceKit
import Storage

/// Marks all stock of an aggregate as to be pushed, in small transactions.
struct MarkAll: Sendable {
  /// SKUs of a transaction.
  static let page = 1_000

  let database: Database
  let marked: @Sendable () -> Void

  /// Works on one key of ``PushQueue/all``. After a crash it begins anew, which marks twice what was marked.
  func mark(_ item: WorkItem) async throws -> WorkOutcome {
    let aggregateId = item.key
    var after = ""
    while !Task.isCancelled {
      let from = after
      let last = try await database.write(weight: Self.page, key: aggregateId) { connection in
        try PushQueue.markPage(
          of: aggregateId, after: from, limit: Self.page, connection, at: WallClock.nanoseconds())
      }
      marked()
      guard let last else { return .done }
      after = last
    }
    return .again(after: .zero, reason: "the service stopped")
  }
}
