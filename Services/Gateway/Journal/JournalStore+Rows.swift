import Messages
import Storage

typealias MessageStatus = Omsconnector.V1.MessageStatus
typealias MessageDirection = Omsconnector.V1.MessageDirection

extension JournalStore {
  /// What a message is when it comes into the journal.
  struct Row {
    var direction: MessageDirection
    var status: MessageStatus
    var deliveryID: String
    var digest: [UInt8]
    var method: String
    var key: String
    var destination: String
    var body: [UInt8]
    var traceparent: String
    var reason: String
    var receivedAt: WallTime
    var finishedAt: WallTime?
    /// nil for that of its key.
    var partition: Int?
  }

  static func insert(_ message: IncomingMessage, _ now: WallTime, _ connection: Connection) throws -> Int64? {
    let row = Row(
      direction: .incoming, status: message.status, deliveryID: message.deliveryID, digest: message.digest,
      method: message.method, key: message.key, destination: message.destination, body: message.body,
      traceparent: message.traceparent, reason: message.reason, receivedAt: now,
      finishedAt: message.status == .pending ? nil : now)
    return try insert(row, connection)
  }

  /// - Returns: nil when the same delivery is there already.
  static func insert(_ row: Row, _ connection: Connection) throws -> Int64? {
    switch connection.engine {
    case .postgresql:
      let partition =
        row.partition ?? JournalPartition.of(key: row.key, deliveryID: row.deliveryID, on: connection.engine)
      let id = try JournalPartition.nextID(partition, connection)
      return try connection.withStatement(insertNumberedRow) { statement in
        try bind(row, to: statement)
        try statement.bind(id, at: 13)
        try statement.bind(Int64(partition), at: 14)
        return try statement.run() > 0 ? id : nil
      }
    case .sqlite:
      // To RETURN what it inserted, SQLite makes a table in memory each time, a fifth of the whole.
      let isNew = try connection.withStatement(insertRow) { statement in
        try bind(row, to: statement)
        return try statement.run() > 0
      }
      guard isNew else { return nil }
      return try connection.withStatement("SELECT last_insert_rowid()") { statement in
        try statement.step() ? statement.integer(0) : nil
      }
    }
  }

  private static func bind(_ row: Row, to statement: Statement) throws {
    try statement.bind(Int64(row.direction.rawValue), at: 1)
    try statement.bind(Int64(row.status.rawValue), at: 2)
    try statement.bind(row.deliveryID, at: 3)
    try statement.bind(row.digest, at: 4)
    try statement.bind(row.method, at: 5)
    try statement.bind(row.key, at: 6)
    try statement.bind(row.destination, at: 7)
    try statement.bind(row.body, at: 8)
    try statement.bind(row.traceparent, at: 9)
    try statement.bind(row.receivedAt.nanoseconds, at: 10)
    try statement.bind(row.finishedAt?.nanoseconds, at: 11)
    try statement.bind(row.reason, at: 12)
  }

  /// A statement that names a message's partition beside its number concerns one machine of a store that is spread over several.
  static func bindPartition(
    of id: Int64, at parameter: Int32, _ statement: Statement, _ connection: Connection
  ) throws {
    try statement.bind(Int64(JournalPartition.of(id, on: connection.engine)), at: parameter)
  }

  /// What became of the same delivery that came before.
  static func known(_ message: IncomingMessage, _ connection: Connection) throws -> Receipt {
    try connection.withStatement(selectKnown) { statement in
      try statement.bind(message.deliveryID, at: 1)
      try statement.bind(message.digest, at: 2)
      try statement.bind(Int64(MessageDirection.incoming.rawValue), at: 3)
      let partition = JournalPartition.of(key: message.key, deliveryID: message.deliveryID, on: connection.engine)
      try statement.bind(Int64(partition), at: 4)
      guard try statement.step() else { throw JournalError.lost(deliveryID: message.deliveryID) }
      return receipt(statement)
    }
  }

  /// Lets a message wait for its service that came before this version, which knows the service. One that an operator has given
  /// up has a destination, and stays as it is.
  static func takeUp(_ message: IncomingMessage, _ known: Receipt, _ connection: Connection) throws -> Receipt {
    try connection.withStatement(updateTakenUp) { statement in
      try statement.bind(message.destination, at: 1)
      try statement.bind(message.key, at: 2)
      try statement.bind(known.id, at: 3)
      try bindPartition(of: known.id, at: 4, statement, connection)
      guard try statement.run() > 0 else { return known }
      try HolderTask.add(.again, [known.id], connection)
      return Receipt(id: known.id, isDuplicate: true, status: .pending, reason: "", result: [], isTakenUp: true)
    }
  }

  /// Another message may have the content of this one, which came without an id, if it came long enough ago; or later than now,
  /// while the clock was wrong.
  static func letGo(
    _ id: Int64, _ message: IncomingMessage, _ now: WallTime, _ connection: Connection
  ) throws -> Bool {
    try connection.withStatement(updateLetGo) { statement in
      try statement.bind(SHA256.digest(ofParts: [message.digest, Array("\(id)".utf8)]), at: 1)
      try statement.bind(id, at: 2)
      try statement.bind(now.nanoseconds - Int64(clamping: sameWithoutID.nanoseconds), at: 3)
      try statement.bind(now.nanoseconds + Int64(clamping: sameWithoutID.nanoseconds), at: 4)
      try bindPartition(of: id, at: 5, statement, connection)
      return try statement.run() > 0
    }
  }

  static func direction(_ statement: Statement, _ column: Int32) -> MessageDirection {
    MessageDirection(rawValue: Int32(truncatingIfNeeded: statement.integer(column)))
  }

  static func receipt(_ statement: Statement) -> Receipt {
    Receipt(
      id: statement.integer(0), isDuplicate: true,
      status: MessageStatus(rawValue: Int32(truncatingIfNeeded: statement.integer(1))), reason: statement.text(2),
      result: statement.blob(3))
  }

  /// The rows that the limits allow, one at least if there is one; the statement was asked for one row more than the limit.
  static func page(_ statement: Statement, _ limits: PageLimits) throws -> PendingPage {
    var page = PendingPage(messages: [], isLast: true)
    var weight = 0
    while try statement.step() {
      if page.messages.count == limits.rows || weight >= limits.weight {
        page.isLast = false
        break
      }
      let message = try pendingMessage(statement)
      weight += message.weight
      page.messages.append(message)
    }
    return page
  }

  static func pendingMessage(_ statement: Statement) throws -> PendingMessage {
    PendingMessage(
      id: statement.integer(0), deliveryID: statement.text(1), method: statement.text(2), key: statement.text(3),
      body: statement.blob(4), traceparent: statement.text(5),
      waitingSince: WallTime(nanoseconds: statement.integer(6)),
      attempts: try AttemptLog(count: Int(statement.integer(7)), serialized: statement.blob(8)),
      nextAttemptAt: statement.isNull(9) ? nil : WallTime(nanoseconds: statement.integer(9)),
      replayCount: Int(statement.integer(10)))
  }

  // The numbers of the statuses are those of MessageStatus: 1 is PENDING.

  private static let insertRow = """
    INSERT INTO journal
      (direction, status, delivery_id, digest, method, message_key, destination, body, traceparent, received_at,
       finished_at, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (delivery_id, digest, direction) DO NOTHING
    """

  private static let insertNumberedRow = """
    INSERT INTO journal
      (direction, status, delivery_id, digest, method, message_key, destination, body, traceparent, received_at,
       finished_at, reason, id, partition)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (delivery_id, digest, direction, partition) DO NOTHING
    """

  static let selectKnown = """
    SELECT id, status, reason, result FROM journal
    WHERE delivery_id = ?1 AND digest = ?2 AND direction = ?3 AND partition = ?4
    """

  static let selectReceipt = "SELECT id, status, reason, result FROM journal WHERE id = ?1 AND partition = ?2"

  private static let pendingColumns = """
    id, delivery_id, method, message_key, body, traceparent,
    CASE WHEN replay_count > 0 THEN COALESCE(handled_at, received_at) ELSE received_at END,
    attempt_count, attempts, next_attempt_at, replay_count
    """

  static let selectPending = """
    SELECT \(pendingColumns) FROM journal
    WHERE destination = ?1 AND partition = ?4 AND status = 1 AND id > ?2 ORDER BY id LIMIT ?3
    """

  // The expression keeps the planner from the index of all that waits: a key's next messages may be far apart in there.
  static let selectPendingOfKey = """
    SELECT \(pendingColumns) FROM journal
    WHERE message_key = ?4 AND id > ?2 AND id <= ?5 AND partition = ?6 AND status = 1 AND destination || '' = ?1
    ORDER BY id LIMIT ?3
    """

  static let selectPendingByID = """
    SELECT \(pendingColumns) FROM journal WHERE id = ?1 AND partition = ?2 AND status = 1
    """

  private static let updateTakenUp = """
    UPDATE journal SET status = 1, destination = ?1, message_key = ?2, finished_at = NULL, reason = ''
    WHERE id = ?3 AND partition = ?4 AND status = 3 AND destination = ''
    """

  private static let updateLetGo = """
    UPDATE journal SET digest = ?1 WHERE id = ?2 AND partition = ?5 AND NOT received_at BETWEEN ?3 AND ?4
    """

  static let updateFinished = """
    UPDATE journal SET status = ?1, finished_at = ?2, attempt_count = ?3, attempts = ?4, next_attempt_at = NULL,
      reason = ?5, result = ?6
    WHERE id = ?7 AND partition = ?8 AND status = 1 AND replay_count = ?9 RETURNING direction
    """

  static let updatePostponed = """
    UPDATE journal SET next_attempt_at = ?1, attempt_count = ?2, attempts = ?3, reason = ?4
    WHERE id = ?5 AND partition = ?6 AND status = 1 AND replay_count = ?7
    """
}
