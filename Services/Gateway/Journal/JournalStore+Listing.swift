import Messages
import Storage

typealias JournalMessage = Omsconnector.V1.JournalMessage

extension JournalStore {
  /// The numbers of the first and the last message; nil when there is none.
  func bounds() async throws -> ClosedRange<Int64>? {
    try await database.read { connection in
      // Two questions: both at once would read the whole table.
      let first = try Self.number("SELECT min(id) FROM journal", connection)
      let last = try Self.number("SELECT max(id) FROM journal", connection)
      guard let first, let last else { return nil }
      return first...max(first, last)
    }
  }

  /// How long a message may take to become durable after it got its number.
  private static let commitMicroseconds: Int64 = 1_000_000

  /// Up to which number nothing new will be seen. Of several partitions one may give out its number before another one and be
  /// committed after it: who follows the journal waits for that, a second. nil where there is one partition.
  func settledBound() async throws -> Int64? {
    guard partitions.count > 1 else { return nil }
    return try await database.read { connection in
      JournalPartition.firstID(at: try connection.now(), after: -Self.commitMicroseconds)
    }
  }

  private static func number(_ sql: String, _ connection: Connection) throws -> Int64? {
    try connection.withStatement(sql) { statement in
      try statement.step() && !statement.isNull(0) ? statement.integer(0) : nil
    }
  }

  /// Messages with a number in `window`, at most `limit`, as a list shows them: without bodies and attempts.
  func messages(
    _ filter: JournalFilter, in window: ClosedRange<Int64>, newestFirst: Bool, limit: Int
  ) async throws -> [JournalMessage] {
    let condition = JournalFilter.Condition(filter, firstParameter: 4)
    let sql = """
      SELECT \(Self.shownColumns) FROM journal WHERE id >= ?1 AND id <= ?2\(condition.sql)
      ORDER BY id \(newestFirst ? "DESC" : "ASC") LIMIT ?3
      """
    return try await database.read { connection in
      try connection.withStatement(sql) { statement in
        try statement.bind(window.lowerBound, at: 1)
        try statement.bind(window.upperBound, at: 2)
        try statement.bind(Int64(limit), at: 3)
        try condition.bind(to: statement)
        var messages: [JournalMessage] = []
        while try statement.step() { messages.append(Self.message(statement)) }
        return messages
      }
    }
  }

  /// One message with all that is known of it: the body and the answer masked. nil when there is none.
  ///
  /// - Parameter bodyLimit: bytes of the body to show at most.
  func message(_ id: Int64, bodyLimit: Int = MaskedText.limit) async throws -> JournalMessage? {
    try await database.read { connection in
      let sql = "SELECT \(Self.shownColumns), attempts, body, result FROM journal WHERE id = ?1 AND partition = ?2"
      return try connection.withStatement(sql) { statement in
        try statement.bind(id, at: 1)
        try Self.bindPartition(of: id, at: 2, statement, connection)
        guard try statement.step() else { return nil }
        var message = Self.message(statement)
        let log = try AttemptLog(count: Int(message.attemptCount), serialized: statement.blob(17))
        message.attempts = log.messages.map { attempt in
          var attempt = attempt
          attempt.error = MaskedText.line(attempt.error)
          return attempt
        }
        let (body, result) = (MaskedText(statement.blob(18), limit: bodyLimit), MaskedText(statement.blob(19)))
        (message.body, message.bodyCut, message.result) = (body.text, body.isCut, result.text)
        return message
      }
    }
  }

  private static let shownColumns = """
    id, delivery_id, direction, status, method, message_key, destination, received_at, finished_at, attempt_count,
    next_attempt_at, reason, replay_count, handled_by, handled_at, length(body), original_reason
    """

  private static func message(_ statement: Statement) -> JournalMessage {
    func time(_ column: Int32) -> Google.Protobuf.Timestamp? {
      statement.isNull(column) ? nil : WallTime(nanoseconds: statement.integer(column)).timestamp
    }
    func number(_ column: Int32) -> Int32 { Int32(clamping: statement.integer(column)) }
    return JournalMessage(
      id: statement.integer(0), deliveryId: statement.text(1), direction: .init(rawValue: number(2)),
      status: .init(rawValue: number(3)), method: statement.text(4), key: statement.text(5),
      destination: statement.text(6), receivedAt: time(7), finishedAt: time(8), attemptCount: number(9),
      nextAttemptAt: time(10), reason: MaskedText.line(statement.text(11)), replayCount: number(12),
      handledBy: statement.text(13), handledAt: time(14), size: statement.integer(15),
      originalReason: MaskedText.line(statement.text(16)))
  }
}
