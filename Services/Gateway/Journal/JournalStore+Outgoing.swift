import Messages
import Storage

/// What the journal says of a message for the OMS that has just come in, with its number there.
enum Enqueued: Sendable, Equatable {
  case new(Int64)
  /// The same message was there already.
  case known(Int64)
  /// Another message has this id.
  case differs(Int64)
}

// Messages for the OMS.
extension JournalStore {
  /// Makes a message for the OMS durable, unless its id is there already.
  ///
  /// - Throws: `StorageError`.
  func enqueue(_ message: OutgoingMessage, at now: WallTime) async throws -> Enqueued {
    try await database.write(key: writeKey(partition(key: message.key, deliveryID: message.deliveryID))) {
      try Self.insert(message, at: now, $0)
    }
  }

  /// As ``enqueue(_:at:)``, within a transaction.
  ///
  /// - Parameter partition: nil for that of its key. A notice goes with the message that it tells of, so that a transaction concerns
  ///   one partition.
  static func insert(
    _ message: OutgoingMessage, in partition: Int? = nil, at now: WallTime, _ connection: Connection
  ) throws -> Enqueued {
    // Another message with the same id may have another key, and be in another partition. Two that come at the same moment are
    // not told apart there: that takes two stores that count alike, and then the next ones are.
    if connection.engine == .postgresql, let known = try same(message, connection) { return known }
    var row = row(message, .pending, at: now)
    row.partition = partition
    if let id = try insert(row, connection) { return .new(id) }
    guard let known = try same(message, connection) else { throw JournalError.lost(deliveryID: message.deliveryID) }
    return known
  }

  /// - Returns: nil when no message has its id.
  private static func same(_ message: OutgoingMessage, _ connection: Connection) throws -> Enqueued? {
    try connection.withStatement(selectSameDelivery) { statement in
      try statement.bind(message.deliveryID, at: 1)
      try statement.bind([UInt8](), at: 2)
      try statement.bind(Int64(MessageDirection.outgoing.rawValue), at: 3)
      guard try statement.step() else { return nil }
      let isSame =
        statement.text(1) == message.method && statement.text(2) == message.key
        && statement.text(3) == message.destination && statement.blob(4) == message.body
      return isSame ? Enqueued.known(statement.integer(0)) : .differs(statement.integer(0))
    }
  }

  /// What became of a message.
  struct End: Sendable, Equatable {
    var status: MessageStatus
    var reason: String
    var result: [UInt8]
  }

  /// Keeps a message that was sent once, at once and without waiting in the queue, with its end.
  ///
  /// - Throws: `StorageError`.
  func note(_ message: OutgoingMessage, _ end: End, startedAt: WallTime, duration: Duration) async throws {
    var attempts = AttemptLog()
    attempts.add(.init(startedAt: startedAt, duration: duration, error: end.reason))
    let log = attempts
    try await database.write(key: writeKey(partition(key: message.key, deliveryID: message.deliveryID))) { connection in
      guard let id = try Self.insert(Self.row(message, .pending, at: startedAt), connection) else {
        throw JournalError.lost(deliveryID: message.deliveryID)
      }
      _ = try Self.finish(
        id, replay: 0, end.status, attempts: log, reason: end.reason, result: end.result, at: startedAt + duration,
        connection)
    }
    counters.add(.outgoing, end.status)
  }

  private static func row(_ message: OutgoingMessage, _ status: MessageStatus, at now: WallTime) -> Row {
    Row(
      direction: .outgoing, status: status, deliveryID: message.deliveryID, digest: [], method: message.method,
      key: message.key, destination: message.destination, body: message.body, traceparent: message.traceparent,
      reason: "", receivedAt: now, finishedAt: nil)
  }

  private static let selectSameDelivery = """
    SELECT id, method, message_key, destination, body FROM journal
    WHERE delivery_id = ?1 AND digest = ?2 AND direction = ?3
    """
}
