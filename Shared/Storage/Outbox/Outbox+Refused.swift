// What operators see of what the gateway refused for good, and do about it.

extension Outbox {
  /// How many refused messages go back at once, and how many bytes of bodies: the one that goes beyond is the last.
  static let retryLimit = Room(rows: 64, bytes: 8 << 20)

  /// Refused messages behind `id`, the oldest first.
  ///
  /// - Parameter showsHandled: also those that were retried or discarded.
  public func refused(
    _ connection: Connection, after id: Int64, limit: Int, showsHandled: Bool
  ) throws -> [RefusedRow] {
    let sql = """
      SELECT \(Self.refusedColumns) FROM outbox_refused WHERE id > ?1\(showsHandled ? "" : " AND state = 1")
      ORDER BY id LIMIT ?2
      """
    return try connection.withStatement(sql) { statement in
      try statement.bind(id, at: 1)
      try statement.bind(Int64(limit), at: 2)
      var rows: [RefusedRow] = []
      while try statement.step() { rows.append(refusedRow(statement)) }
      return rows
    }
  }

  /// One refused message, and its body; nil when there is none of this number.
  public func refused(_ connection: Connection, id: Int64) throws -> (row: RefusedRow, body: [UInt8])? {
    try connection.withStatement("SELECT \(Self.refusedColumns), body FROM outbox_refused WHERE id = ?1") { statement in
      try statement.bind(id, at: 1)
      return try statement.step() ? (refusedRow(statement), statement.blob(13)) : nil
    }
  }

  /// The row of a delivery id that this outbox gave; nil for one of another service or store, such as the store that was there
  /// before this one.
  public func row(of deliveryID: String, _ connection: Connection) throws -> Int64? {
    let store = try storeID(connection)
    let prefix = "\(service)-\(store)-"
    guard deliveryID.hasPrefix(prefix), let row = Int64(deliveryID.dropFirst(prefix.count)), row > 0,
      self.deliveryID(store: store, row: row) == deliveryID
    else { return nil }
    return row
  }

  /// The last refused message that nobody has done anything about; nil when there is none.
  public func lastOpenRefused(_ connection: Connection) throws -> Int64? {
    try connection.withStatement("SELECT id FROM outbox_refused WHERE state = 1 ORDER BY id DESC LIMIT 1") {
      try $0.step() ? $0.integer(0) : nil
    }
  }

  /// Puts the oldest refused messages that nobody has done anything about into the outbox again, a transaction's worth of them.
  ///
  /// - Parameter last: those up to this one.
  /// - Returns: their new delivery ids; empty when there are none.
  public func retryRefused(
    _ connection: Connection, through last: Int64, by handler: String, now: Int64 = WallClock.nanoseconds()
  ) throws -> [String] {
    let sql = "SELECT id, length(body) FROM outbox_refused WHERE state = 1 AND id <= ?1 ORDER BY id LIMIT ?2"
    let ids = try connection.withStatement(sql) { statement in
      try statement.bind(last, at: 1)
      try statement.bind(Int64(Self.retryLimit.rows), at: 2)
      var (ids, bytes): ([Int64], Int) = ([], 0)
      while bytes < Self.retryLimit.bytes, try statement.step() {
        ids.append(statement.integer(0))
        bytes += Int(statement.integer(1))
      }
      return ids
    }
    return try ids.compactMap { try retryRefused(connection, id: $0, by: handler, now: now) }
  }

  /// Puts a refused message into the outbox again, with an id of its own: the gateway may have refused it for its id.
  ///
  /// - Returns: the new delivery id; nil when there is no such message that nobody has done anything about.
  public func retryRefused(
    _ connection: Connection, id: Int64, by handler: String, now: Int64 = WallClock.nanoseconds()
  ) throws -> String? {
    // First, so that of two replicas that do it at the same time one waits for the other.
    guard try handle(connection, id, .retried, by: handler, outcome: "", now) else { return nil }
    guard let (row, body) = try refused(connection, id: id) else { return nil }
    let message = OutboxMessage(method: row.method, key: row.key, route: row.route, body: body)
    let added = try add(connection, message, now: row.createdAt)
    try connection.withStatement("UPDATE outbox_refused SET outcome = ?1 WHERE id = ?2") { statement in
      try statement.bind(added, at: 1)
      try statement.bind(id, at: 2)
      _ = try statement.run()
    }
    return added
  }

  /// Gives a refused message up, which stays to be looked at.
  ///
  /// - Returns: false when there is no such message that nobody has done anything about.
  public func discardRefused(
    _ connection: Connection, id: Int64, reason: String, by handler: String, now: Int64 = WallClock.nanoseconds()
  ) throws -> Bool {
    try handle(connection, id, .discarded, by: handler, outcome: reason, now)
  }

  private func handle(
    _ connection: Connection, _ id: Int64, _ state: RefusedRow.State, by handler: String, outcome: String, _ now: Int64
  ) throws -> Bool {
    let sql = """
      UPDATE outbox_refused SET state = ?1, handled_by = ?2, handled_at = ?3, outcome = ?4 WHERE id = ?5 AND state = 1
      """
    return try connection.withStatement(sql) { statement in
      try statement.bind(state.rawValue, at: 1)
      try statement.bind(handler, at: 2)
      try statement.bind(now, at: 3)
      try statement.bind(outcome, at: 4)
      try statement.bind(id, at: 5)
      return try statement.run() == 1
    }
  }

  private static let refusedColumns = """
    id, method, message_key, route, length(body), created_at, refused_at, reason, state, handled_by, handled_at, outcome,
    (SELECT store_id FROM outbox_store)
    """

  private func refusedRow(_ statement: Statement) -> RefusedRow {
    let id = statement.integer(0)
    return RefusedRow(
      id: id, deliveryID: deliveryID(store: statement.text(12), row: id), method: statement.text(1),
      key: statement.text(2), route: OutboxRoute(rawValue: Int32(truncatingIfNeeded: statement.integer(3))),
      bytes: statement.integer(4), createdAt: statement.integer(5), refusedAt: statement.integer(6),
      reason: statement.text(7), state: RefusedRow.State(rawValue: statement.integer(8)), handledBy: statement.text(9),
      handledAt: statement.isNull(10) ? nil : statement.integer(10), outcome: statement.text(11))
  }
}
