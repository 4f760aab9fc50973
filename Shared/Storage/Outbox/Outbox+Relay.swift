// What the relay does to the outbox.

extension Outbox {
  /// How much the relay takes out of the outbox at a time.
  public struct Room: Sendable, Equatable {
    /// Rows at most.
    public var rows: Int
    /// Bytes of bodies at most; the row that goes beyond is the last.
    public var bytes: Int

    public init(rows: Int, bytes: Int) {
      self.rows = rows
      self.bytes = bytes
    }
  }

  /// The oldest rows behind `after`, in order. Looks at sizes first, so that rows beyond the room don't reach the memory,
  /// whatever the engine's driver does.
  ///
  /// Two transactions may commit in another order than they got their ids (PostgreSQL). So who has read up to a row has to
  /// look behind it again, before anything that may have come after what was not to be seen yet.
  ///
  /// - Parameter isKnown: rows to leave out.
  public func rows(
    _ connection: Connection, after: Int64, room: Room, except isKnown: (Int64) -> Bool
  ) throws -> [OutboxRow] {
    guard let wanted = try wanted(connection, after, room, isKnown) else { return [] }
    return try connection.withStatement(Self.select) { statement in
      try statement.bind(wanted.lowerBound, at: 1)
      try statement.bind(wanted.upperBound, at: 2)
      var rows: [OutboxRow] = []
      while rows.count < room.rows, try statement.step() {
        let id = statement.integer(0)
        if !isKnown(id) { rows.append(row(id, statement)) }
      }
      return rows
    }
  }

  /// From the first row that fits to the last.
  private func wanted(
    _ connection: Connection, _ after: Int64, _ room: Room, _ isKnown: (Int64) -> Bool
  ) throws -> ClosedRange<Int64>? {
    try connection.withStatement("SELECT id, length(body) FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2") {
      statement in
      try statement.bind(after, at: 1)
      try statement.bind(Int64(Self.scanLimit), at: 2)
      var (count, bytes) = (0, 0)
      var wanted: ClosedRange<Int64>?
      while count < room.rows, bytes < room.bytes, try statement.step() {
        let id = statement.integer(0)
        if isKnown(id) { continue }
        count += 1
        bytes += Int(statement.integer(1))
        wanted = (wanted?.lowerBound ?? id)...id
      }
      return wanted
    }
  }

  /// Rows that one look goes over at most; more than are ever known.
  static let scanLimit = 4_096

  private static let select = """
    SELECT id, method, message_key, route, body, (SELECT store_id FROM outbox_store) FROM outbox
    WHERE id >= ?1 AND id <= ?2 ORDER BY id
    """

  private func row(_ id: Int64, _ statement: Statement) -> OutboxRow {
    OutboxRow(
      id: id, deliveryID: deliveryID(store: statement.text(5), row: id),
      message: OutboxMessage(
        method: statement.text(1), key: statement.text(2),
        route: OutboxRoute(rawValue: Int32(truncatingIfNeeded: statement.integer(3))), body: statement.blob(4)))
  }

  /// Removes rows that the gateway has.
  public func remove(_ connection: Connection, _ ids: [Int64]) throws {
    try connection.withStatement("DELETE FROM outbox WHERE id = ?1") { statement throws(StorageError) in
      for id in ids {
        try statement.bind(id, at: 1)
        _ = try statement.run()
      }
    }
  }

  /// Puts a row aside that the gateway will never take, with the reason.
  public func refuse(
    _ connection: Connection, _ id: Int64, reason: String, now: Int64 = WallClock.nanoseconds()
  ) throws {
    try connection.withStatement(
      """
      INSERT INTO outbox_refused (id, method, message_key, route, body, created_at, refused_at, reason)
      SELECT id, method, message_key, route, body, created_at, CAST(?2 AS BIGINT), CAST(?3 AS TEXT) FROM outbox
      WHERE id = ?1
      ON CONFLICT (id) DO NOTHING
      """
    ) { statement throws(StorageError) in
      try statement.bind(id, at: 1)
      try statement.bind(now, at: 2)
      try statement.bind(reason, at: 3)
      _ = try statement.run()
    }
    try remove(connection, [id])
  }

  /// Removes what was refused more than 60 days ago, at most ``Inbox/removalLimit`` rows.
  ///
  /// - Returns: how many.
  public static func removeOldRefused(_ connection: Connection, now: Int64) throws -> Int {
    try connection.withStatement(
      """
      DELETE FROM outbox_refused
      WHERE refused_at < ?1 AND id IN (SELECT id FROM outbox_refused ORDER BY id LIMIT ?2)
      """
    ) { statement throws(StorageError) in
      try statement.bind(now - Int64(clamping: Inbox.retention.nanoseconds), at: 1)
      try statement.bind(Int64(Inbox.removalLimit), at: 2)
      return try statement.run()
    }
  }
}
