import Messages
import Storage

extension JournalStore {
  /// Characters of what an operator says that are kept.
  static let handlerCharacters = 100
  /// Later messages of a key that are looked at: those that ended first come first.
  private static let laterMessages: Int64 = 1_000

  /// Whether a later message of the same key has had its effect already.
  func isOvertaken(_ message: JournalMessage) async throws -> Bool {
    if message.key.isEmpty { return false }
    let sql = """
      SELECT count(*) FROM (
        SELECT status FROM journal WHERE message_key = ?1 AND id > ?2 AND destination || '' = ?3
        ORDER BY id LIMIT ?4) AS later
      WHERE status = 2
      """
    return try await database.read { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(message.key, at: 1)
        try statement.bind(message.id, at: 2)
        try statement.bind(message.destination, at: 3)
        try statement.bind(Self.laterMessages, at: 4)
        return try statement.step() && statement.integer(0) > 0
      }
    }
  }

  /// Lets ended messages wait again, for the destination and with the key that they have now. Their tries count from the
  /// beginning; why they ended stands with the earlier ones.
  ///
  /// - Returns: those that had ended still.
  func requeue(_ messages: [JournalMessage], by handler: String, at now: WallTime) async throws -> Set<Int64> {
    let sql = """
      UPDATE journal SET status = 1, finished_at = NULL, next_attempt_at = NULL, attempt_count = 0,
        reason = '', original_reason = '', replay_count = replay_count + 1, handled_by = ?1, handled_at = ?2,
        destination = ?4, message_key = ?5
      WHERE id = ?3 AND partition = ?6 AND status <> 1
      """
    return try await byPartition(messages, id: { $0.id }) { messages, connection in
      var requeued: Set<Int64> = []
      try connection.withStatement(sql) { statement in
        for message in messages {
          try statement.bind(handler, at: 1)
          try statement.bind(now.nanoseconds, at: 2)
          try statement.bind(message.id, at: 3)
          try statement.bind(message.destination, at: 4)
          try statement.bind(message.key, at: 5)
          try Self.bindPartition(of: message.id, at: 6, statement, connection)
          if try statement.run() > 0 { requeued.insert(message.id) }
        }
      }
      try HolderTask.add(.again, requeued, connection)
      return requeued
    }
  }

  /// Runs `body` in a transaction for the messages of each partition, so that gateways that are at the same messages wait for
  /// each other in the same order.
  private func byPartition<Message: Sendable>(
    _ messages: [Message], id: (Message) -> Int64,
    _ body: @escaping @Sendable ([Message], Connection) throws -> Set<Int64>
  ) async throws -> Set<Int64> {
    let parts = Dictionary(grouping: messages) { partition(of: id($0)) }.sorted { $0.key < $1.key }
    let writes = try parts.map { partition, messages in
      try database.enqueueWrite(weight: messages.count, key: writeKey(partition)) { try body(messages, $0) }
    }
    var done: Set<Int64> = []
    for write in writes { done.formUnion(try await write.value()) }
    return done
  }

  /// The bytes of a message as they came; nil when there is none of this number.
  func body(_ id: Int64) async throws -> [UInt8]? {
    try await database.read { connection in
      try connection.withStatement("SELECT body FROM journal WHERE id = ?1 AND partition = ?2") { statement in
        try statement.bind(id, at: 1)
        try Self.bindPartition(of: id, at: 2, statement, connection)
        return try statement.step() ? statement.blob(0) : nil
      }
    }
  }

  /// Gives messages up that wait, or that went wrong.
  ///
  /// - Returns: those that did.
  func discard(_ ids: [Int64], reason: String, by handler: String, at now: WallTime) async throws -> Set<Int64> {
    let sql = """
      UPDATE journal SET status = 3, finished_at = ?1, next_attempt_at = NULL, original_reason = reason, reason = ?2,
        handled_by = ?3, handled_at = ?1
      WHERE id = ?4 AND partition = ?5 AND status IN (1, 4, 5) RETURNING direction
      """
    let discarded = try await database.write(weight: max(1, ids.count)) { connection in
      var discarded: [Int64: MessageDirection] = [:]
      for id in ids {
        discarded[id] = try connection.withStatement(sql) { statement in
          try statement.bind(now.nanoseconds, at: 1)
          try statement.bind(reason, at: 2)
          try statement.bind(handler, at: 3)
          try statement.bind(id, at: 4)
          try Self.bindPartition(of: id, at: 5, statement, connection)
          return try statement.step() ? Self.direction(statement, 0) : nil
        }
      }
      return discarded
    }
    for direction in discarded.values { counters.add(direction, .ignored) }
    return Set(discarded.keys)
  }

  /// Deletes messages that ended before `time`, among the next `limit` behind `id`.
  ///
  /// - Returns: where to go on; nil when what comes is younger, so that there is nothing more to delete.
  func deleteEnded(before time: WallTime, after id: Int64, limit: Int) async throws -> Int64? {
    let sql = "SELECT id, status, received_at, finished_at FROM journal WHERE id > ?1 ORDER BY id LIMIT ?2"
    let page = try await database.read { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(id, at: 1)
        try statement.bind(Int64(limit), at: 2)
        var page: (ended: [Int64], last: Int64?, isOld: Bool) = ([], nil, false)
        while try statement.step() {
          page.last = statement.integer(0)
          guard statement.integer(2) < time.nanoseconds else { continue }
          page.isOld = true
          let isEnded = statement.integer(1) != 1 && statement.integer(3) < time.nanoseconds
          if isEnded { page.ended.append(statement.integer(0)) }
        }
        return page
      }
    }
    if !page.ended.isEmpty { try await delete(page.ended, endedBefore: time) }
    return page.isOld ? page.last : nil
  }

  /// Deletes those of the messages that have ended before `time`, by now: since it was looked at, one may have been replayed, and
  /// that may have ended, too.
  func delete(_ ids: [Int64], endedBefore time: WallTime) async throws {
    let sql = "DELETE FROM journal WHERE id = ?1 AND partition = ?3 AND status <> 1 AND finished_at < ?2"
    try await database.write(weight: ids.count) { connection in
      try connection.withStatement(sql) { statement in
        for id in ids {
          try statement.bind(id, at: 1)
          try statement.bind(time.nanoseconds, at: 2)
          try Self.bindPartition(of: id, at: 3, statement, connection)
          try statement.run()
        }
      }
    }
  }
}
