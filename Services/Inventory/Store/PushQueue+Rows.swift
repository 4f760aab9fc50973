import ServiceKit
import Storage

/// Stock of one SKU that the shop is to be told.
struct DueStock: Sendable, Equatable {
  let sku: String
  /// What is pushed: another change has another one.
  let version: Int64
  let quantity: Int64
  let unlimited: Bool
}

/// What is done to rows of a partition. All of it belongs into a transaction that has prolonged the partition's lease.
extension PushQueue {
  /// In the order of the SKUs' bytes.
  static func due(_ key: PushKey, limit: Int, _ connection: Connection) throws -> [DueStock] {
    try rows(key, "p.version", "p.failed = 0", limit: limit, connection)
  }

  /// What the open bulk job was sent with, in its order: by the versions that it has. Values are those of now.
  static func sent(_ key: PushKey, _ connection: Connection) throws -> [DueStock] {
    try rows(key, "p.sent", "p.sent > 0", limit: .max, connection)
  }

  private static func rows(
    _ key: PushKey, _ version: String, _ condition: String, limit: Int, _ connection: Connection
  ) throws -> [DueStock] {
    try connection.withStatement(
      """
      SELECT p.sku, \(version), COALESCE(s.quantity, 0), COALESCE(s.unlimited, 0)
      FROM \(StockSchema.push) AS p LEFT JOIN \(StockSchema.table) AS s
        ON s.aggregate_id = p.aggregate_id AND s.sku = p.sku
      WHERE p.aggregate_id = ?1 AND p.part = ?2 AND \(condition) ORDER BY p.sku LIMIT ?3
      """
    ) { statement in
      try bind(key, statement)
      try statement.bind(Int64(limit), at: 3)
      var rows: [DueStock] = []
      while try statement.step() {
        rows.append(
          DueStock(
            sku: statement.text(0), version: statement.integer(1), quantity: statement.integer(2),
            unlimited: statement.bool(3)))
      }
      return rows
    }
  }

  /// The shop has these; of what has changed meanwhile it doesn't.
  static func settle(_ rows: some Collection<DueStock>, _ key: PushKey, _ connection: Connection) throws {
    try connection.withStatement(
      "DELETE FROM \(StockSchema.push) WHERE aggregate_id = ?1 AND part = ?2 AND sku = ?3 AND version = ?4"
    ) { statement throws(StorageError) in
      try bind(key, statement)
      try statement.runEach(
        rows, text: { $0.sku }, at: 3, bind: { row throws(StorageError) in try statement.bind(row.version, at: 4) },
        changed: { _, _ in })
    }
  }

  /// The shop refuses these, until they change or are marked anew.
  static func fail(_ rows: [(row: DueStock, reason: String)], _ key: PushKey, _ connection: Connection) throws {
    try connection.withStatement(
      """
      UPDATE \(StockSchema.push) SET failed = 1, reason = ?5, sent = 0
      WHERE aggregate_id = ?1 AND part = ?2 AND sku = ?3 AND version = ?4
      """
    ) { statement throws(StorageError) in
      try bind(key, statement)
      try statement.runEach(
        rows, text: { $0.row.sku }, at: 3,
        bind: { entry throws(StorageError) in
          try statement.bind(entry.row.version, at: 4)
          try statement.bind(String(entry.reason.prefix(500)), at: 5)
        }, changed: { _, _ in })
    }
  }

  static func bind(_ key: PushKey, _ statement: Statement) throws(StorageError) {
    try statement.bind(key.aggregateId, at: 1)
    try statement.bind(Int64(key.part), at: 2)
  }
}

extension PushQueue {
  /// Makes what the shop refused due again, some of it.
  ///
  /// - Returns: whether there may be more.
  static func retryFailed(_ connection: Connection, limit: Int) throws -> Bool {
    let failed = try connection.withStatement(
      "SELECT aggregate_id, sku FROM \(StockSchema.push) WHERE failed = 1 ORDER BY aggregate_id, part, sku LIMIT ?1"
    ) { statement in
      try statement.bind(Int64(limit), at: 1)
      var failed: [String: [String]] = [:]
      while try statement.step() { failed[statement.text(0), default: []].append(statement.text(1)) }
      return failed
    }
    let now = WallClock.nanoseconds()
    for (aggregateId, skus) in failed.sorted(by: { $0.key < $1.key }) {
      try mark(skus, of: aggregateId, connection, at: now)
    }
    return failed.values.reduce(0) { $0 + $1.count } == limit
  }
}
