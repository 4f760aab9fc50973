import ServiceKit

// Messages that another gateway delivers.
extension InboundQueue {
  /// Between two looks at what has become of a message.
  private static let lookInterval = Duration.milliseconds(50)

  /// Waits for the next try of a message to end that another gateway makes; one that its destination did not take at all can't be
  /// seen from here. To be limited by the caller.
  ///
  /// - Returns: what became of it then, which may be `PENDING` still; nil when the gateway stops, or the task is cancelled.
  func outcomeElsewhere(of id: Int64) async -> Receipt? {
    var first: Int64?
    while !Task.isCancelled, !held.isStopping {
      do {
        guard let (receipt, attempts) = try await store.tried(id) else { return nil }
        if receipt.status != .pending || attempts > first ?? attempts { return receipt }
        first = first ?? attempts
      } catch {
        Log.debug("can't look for a message", ["journal_id": LogValue(Int(id)), "reason": LogValue(error)])
      }
      // A cancelled sleep ends the loop.
      _ = try? await Task.sleep(for: Self.lookInterval)
    }
    return nil
  }
}

extension JournalStore {
  /// What became of a message, and how often it was tried; nil when there is none of this number.
  func tried(_ id: Int64) async throws -> (receipt: Receipt, attempts: Int64)? {
    let sql = "SELECT id, status, reason, result, attempt_count FROM journal WHERE id = ?1 AND partition = ?2"
    return try await database.read { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(id, at: 1)
        try Self.bindPartition(of: id, at: 2, statement, connection)
        return try statement.step() ? (Self.receipt(statement), statement.integer(4)) : nil
      }
    }
  }
}
