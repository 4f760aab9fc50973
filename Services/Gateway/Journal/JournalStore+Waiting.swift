import Storage

// Messages that wait for their next try.
extension JournalStore {
  /// What waits for its next try, in the order of that: the times that were noted, whether they are over or not.
  func due(destination: String, partition: Int, after place: DueMessage.Place, limit: Int) async throws -> DuePage {
    let sql = """
      SELECT id, message_key, next_attempt_at FROM journal
      WHERE destination = ?1 AND partition = ?5 AND status = 1 AND next_attempt_at IS NOT NULL
        AND (next_attempt_at, id) > (?2, ?3)
      ORDER BY next_attempt_at, id LIMIT ?4
      """
    return try await database.read { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(destination, at: 1)
        try statement.bind(place.due.nanoseconds, at: 2)
        try statement.bind(place.id, at: 3)
        try statement.bind(Int64(limit), at: 4)
        try statement.bind(Int64(partition), at: 5)
        var messages: [DueMessage] = []
        while try statement.step() {
          messages.append(
            DueMessage(
              key: statement.text(1),
              place: .init(due: WallTime(nanoseconds: statement.integer(2)), id: statement.integer(0))))
        }
        return DuePage(messages: messages, isLast: messages.count < limit)
      }
    }
  }

  /// Ends messages of one partition that were not tried again. Those that are not pending any more, or were replayed since, stay
  /// as they are.
  ///
  /// - Parameter end: why, and what is to tell of it.
  func giveUp(
    _ messages: [PendingMessage], _ status: MessageStatus, at now: WallTime,
    _ end: @escaping @Sendable (PendingMessage) -> (reason: String, notice: OutgoingMessage?)
  ) async throws {
    guard let partition = messages.first.map({ partition(of: $0.id) }) else { return }
    let ended = try await database.write(weight: 2 * messages.count, key: writeKey(partition)) { connection in
      var ended: [MessageDirection] = []
      for message in messages {
        let (reason, notice) = end(message)
        let direction = try Self.finish(
          message.id, replay: message.replayCount, status, attempts: message.attempts, reason: reason, result: [],
          at: now,
          connection)
        guard let direction else { continue }
        ended.append(direction)
        if let notice { _ = try Self.insert(notice, in: partition, at: now, connection) }
      }
      return ended
    }
    for direction in ended { counters.add(direction, status) }
  }
}
