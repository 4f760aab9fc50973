import Storage

/// A bulk job of a partition, of which there is one at a time.
struct OpenBulk: Sendable, Equatable {
  /// The shop's id of it; empty until the shop has answered. Then the job may be there or not.
  var uuid = ""
  /// When it was about to be sent; nanoseconds since 1970.
  let openedAt: Int64
  /// Of one that is lost, which means that nobody can say whether or when it runs: when its SKUs are pushed once more; 0 otherwise.
  var againAt: Int64 = 0
  /// Why it is lost.
  var reason = ""

  var isLost: Bool { againAt > 0 }
}

/// What is done to the bulk job of a partition, by whoever has prolonged its lease.
///
/// A job is noted before it is sent, because the shop may take it and its answer be lost. A lost one may run at any time, and would
/// put back what was newer; so its SKUs go to the shop at once, as if it weren't there, and once more when it must have run.
extension PushQueue {
  static func bulk(_ key: PushKey, _ connection: Connection) throws -> OpenBulk? {
    try connection.withStatement(
      "SELECT uuid, accepted_at, again_at, reason FROM \(StockSchema.bulk) WHERE aggregate_id = ?1 AND part = ?2"
    ) { statement in
      try bind(key, statement)
      guard try statement.step() else { return nil }
      return OpenBulk(
        uuid: statement.text(0), openedAt: statement.integer(1), againAt: statement.integer(2),
        reason: statement.text(3))
    }
  }

  /// Notes that a job is about to be sent. There must be no other.
  static func open(_ bulk: OpenBulk, _ rows: [DueStock], _ key: PushKey, _ connection: Connection) throws {
    try connection.withStatement(
      """
      INSERT INTO \(StockSchema.bulk) (aggregate_id, part, uuid, accepted_at, again_at, reason)
      VALUES (?1, ?2, ?3, ?4, 0, '')
      """
    ) { statement in
      try bind(key, statement)
      try statement.bind(bulk.uuid, at: 3)
      try statement.bind(bulk.openedAt, at: 4)
      _ = try statement.run()
    }
    try connection.withStatement(
      "UPDATE \(StockSchema.push) SET sent = ?4 WHERE aggregate_id = ?1 AND part = ?2 AND sku = ?3"
    ) { statement throws(StorageError) in
      try bind(key, statement)
      try statement.runEach(
        rows, text: { $0.sku }, at: 3, bind: { row throws(StorageError) in try statement.bind(row.version, at: 4) },
        changed: { _, _ in })
    }
  }

  /// The shop has taken it. Nothing when it counts as lost already: then another replica has gone on without it.
  static func accepted(_ bulk: OpenBulk, as uuid: String, _ key: PushKey, _ connection: Connection) throws {
    try connection.withStatement(
      """
      UPDATE \(StockSchema.bulk) SET uuid = ?3
      WHERE aggregate_id = ?1 AND part = ?2 AND uuid = '' AND accepted_at = ?4 AND again_at = 0
      """
    ) { statement in
      try bind(key, statement)
      try statement.bind(uuid, at: 3)
      try statement.bind(bulk.openedAt, at: 4)
      _ = try statement.run()
    }
  }

  /// It has ended, or was never there: what it was sent with and is still there is due.
  static func closeBulk(_ key: PushKey, _ connection: Connection) throws {
    for sql in [
      "DELETE FROM \(StockSchema.bulk) WHERE aggregate_id = ?1 AND part = ?2",
      "DELETE FROM \(StockSchema.lost) WHERE aggregate_id = ?1 AND part = ?2",
      "UPDATE \(StockSchema.push) SET sent = 0 WHERE aggregate_id = ?1 AND part = ?2 AND sent > 0",
    ] {
      try connection.withStatement(sql) { statement in
        try bind(key, statement)
        _ = try statement.run()
      }
    }
  }

  /// It is not followed any more. What it was sent with is due, and kept to be due again.
  static func lose(
    _ key: PushKey, reason: String, againAt: Int64, _ connection: Connection
  ) throws {
    for sql in [
      """
      INSERT INTO \(StockSchema.lost) (aggregate_id, part, sku)
      SELECT aggregate_id, part, sku FROM \(StockSchema.push) WHERE aggregate_id = ?1 AND part = ?2 AND sent > 0
      ON CONFLICT (aggregate_id, part, sku) DO NOTHING
      """,
      "UPDATE \(StockSchema.push) SET sent = 0 WHERE aggregate_id = ?1 AND part = ?2 AND sent > 0",
    ] {
      try connection.withStatement(sql) { statement in
        try bind(key, statement)
        _ = try statement.run()
      }
    }
    try connection.withStatement(
      "UPDATE \(StockSchema.bulk) SET again_at = ?3, reason = ?4 WHERE aggregate_id = ?1 AND part = ?2"
    ) { statement in
      try bind(key, statement)
      try statement.bind(max(1, againAt), at: 3)
      try statement.bind(String(reason.prefix(500)), at: 4)
      _ = try statement.run()
    }
  }

  /// Makes the SKUs of a lost job due once more, and forgets it.
  static func pushLostAgain(_ key: PushKey, _ connection: Connection, at now: Int64) throws {
    let skus = try connection.withStatement(
      "SELECT sku FROM \(StockSchema.lost) WHERE aggregate_id = ?1 AND part = ?2 ORDER BY sku"
    ) { statement in
      try bind(key, statement)
      var skus: [String] = []
      while try statement.step() { skus.append(statement.text(0)) }
      return skus
    }
    if !skus.isEmpty { try mark(skus, of: key.aggregateId, connection, at: now) }
    try closeBulk(key, connection)
  }
}
