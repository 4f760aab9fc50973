import ServiceKit
import Storage

/// Stock that the shop had otherwise than it was told: somebody has changed it there. Kept for a week, for the doctor.
struct ChangedStock: Sendable, Equatable {
  /// Of an aggregate, since some time.
  struct Summary: Sendable, Equatable {
    let aggregateId: String
    let count: Int64
    /// Some of them, the newest first.
    var examples: [ChangedStock] = []
  }

  static let retention: Int64 = 7 * 24 * 3600 * 1_000_000_000

  let sku: String
  /// In words, as what was found: `6`, or `6, out of stock`.
  let told: String
  let found: String

  var text: String { "\(quotable(sku)) (\(found) in place of \(told))" }

  /// Notes them and makes them due: what the OMS says goes to the shop again.
  static func note(
    _ changes: [ChangedStock], of aggregateId: String, _ connection: Connection, at now: Int64
  ) throws {
    for change in changes {
      try connection.withStatement(
        """
        INSERT INTO \(StockSchema.changed) (aggregate_id, sku, at, told, found) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (aggregate_id, sku) DO UPDATE SET at = excluded.at, told = excluded.told, found = excluded.found
        """
      ) { statement in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(change.sku, at: 2)
        try statement.bind(now, at: 3)
        try statement.bind(change.told, at: 4)
        try statement.bind(change.found, at: 5)
        _ = try statement.run()
      }
    }
    try PushQueue.mark(changes.map(\.sku), of: aggregateId, connection, at: now)
  }

  /// In the order of the aggregates' ids.
  ///
  /// - Parameter examples: of an aggregate at most.
  static func summaries(since: Int64, examples: Int, _ connection: Connection) throws -> [Summary] {
    var summaries = try connection.withStatement(
      "SELECT aggregate_id, COUNT(*) FROM \(StockSchema.changed) WHERE at >= ?1 GROUP BY aggregate_id ORDER BY aggregate_id"
    ) { statement in
      try statement.bind(since, at: 1)
      var found: [Summary] = []
      while try statement.step() { found.append(Summary(aggregateId: statement.text(0), count: statement.integer(1))) }
      return found
    }
    for index in summaries.indices {
      summaries[index].examples = try connection.withStatement(
        """
        SELECT sku, told, found FROM \(StockSchema.changed) WHERE aggregate_id = ?1 AND at >= ?2
        ORDER BY at DESC, sku LIMIT ?3
        """
      ) { statement in
        try statement.bind(summaries[index].aggregateId, at: 1)
        try statement.bind(since, at: 2)
        try statement.bind(Int64(examples), at: 3)
        var found: [ChangedStock] = []
        while try statement.step() {
          found.append(ChangedStock(sku: statement.text(0), told: statement.text(1), found: statement.text(2)))
        }
        return found
      }
    }
    return summaries
  }

  /// Removes some of what is older than ``retention``; for ``MessageRetention``.
  ///
  /// - Returns: how many rows it removed.
  static func removeOld(_ connection: Connection, now: Int64) throws -> Int {
    try connection.withStatement(
      """
      DELETE FROM \(StockSchema.changed) WHERE (aggregate_id, sku) IN (
        SELECT aggregate_id, sku FROM \(StockSchema.changed) WHERE at < ?1 ORDER BY at LIMIT ?2)
      """
    ) { statement in
      try statement.bind(now - retention, at: 1)
      try statement.bind(Int64(Inbox.removalLimit), at: 2)
      return try statement.run()
    }
  }
}
