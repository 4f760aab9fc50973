import ServiceKit
import Storage

/// How pushing an aggregate goes.
struct PushStatus: Sendable, Equatable {
  var aggregateId: String
  var website = ""
  var source = ""
  var skus: Int64 = 0
  var pending: Int64 = 0
  var failed: Int64 = 0
  /// One of those that the shop refuses, and why; empty for none.
  var refused = ""
  /// Nanoseconds since 1970; 0 for never.
  var lastPushedAt: Int64 = 0
  /// Why nothing of a partition is pushed now, the newest reason of all partitions; empty for none.
  var lastError = ""
  /// Of a bulk job that may still run though it is not followed; empty for none.
  var lostJob = ""
}

extension PushQueue {
  /// Makes the mapping's aggregates those that are pushed. What is new, or goes somewhere else now, is pushed whole.
  static func setTargets(_ targets: [String: PushTarget], _ connection: Connection) throws {
    let known = try connection.withStatement("SELECT aggregate_id, website, source FROM \(StockSchema.target)") {
      statement in
      var known: [String: PushTarget] = [:]
      while try statement.step() { known[statement.text(0)] = target(statement, from: 1) }
      return known
    }
    for id in known.keys.sorted() where targets[id] == nil {
      for table in [
        StockSchema.target, StockSchema.push, StockSchema.error, StockSchema.told, StockSchema.changed,
      ] {
        try connection.withStatement("DELETE FROM \(table) WHERE aggregate_id = ?1") { statement in
          try statement.bind(id, at: 1)
          _ = try statement.run()
        }
      }
    }
    for (id, target) in targets.sorted(by: { $0.key < $1.key }) where known[id] != target {
      try connection.withStatement(
        """
        INSERT INTO \(StockSchema.target) (aggregate_id, website, source, last_pushed_at, last_error)
        VALUES (?1, ?2, ?3, 0, '')
        ON CONFLICT (aggregate_id) DO UPDATE SET website = excluded.website, source = excluded.source
        """
      ) { statement in
        try statement.bind(id, at: 1)
        try statement.bind(target.website, at: 2)
        try statement.bind(target.source ?? "", at: 3)
        _ = try statement.run()
      }
      try all.add(connection, id)
    }
    // A replica that had read another mapping file may have left it for later.
    for key in try waiting(connection) { try work.add(connection, key.text) }
  }

  /// Partitions with something due.
  private static func waiting(_ connection: Connection) throws -> [PushKey] {
    try connection.withStatement(
      "SELECT DISTINCT aggregate_id, part FROM \(StockSchema.push) WHERE failed = 0 ORDER BY aggregate_id, part"
    ) { statement in
      var keys: [PushKey] = []
      while try statement.step() { keys.append(PushKey(statement.text(0), Int(statement.integer(1)))) }
      return keys
    }
  }

  /// Where an aggregate goes by the mapping file that was read last, by whichever replica; nil for nowhere.
  static func target(of aggregateId: String, _ connection: Connection) throws -> PushTarget? {
    try connection.withStatement("SELECT website, source FROM \(StockSchema.target) WHERE aggregate_id = ?1") {
      statement in
      try statement.bind(aggregateId, at: 1)
      return try statement.step() ? target(statement, from: 0) : nil
    }
  }

  private static func target(_ statement: Statement, from column: Int32) -> PushTarget {
    let source = statement.text(column + 1)
    return PushTarget(website: statement.text(column), source: source.isEmpty ? nil : source)
  }

  /// Marks SKUs of an aggregate in the order of their bytes, some at a time.
  ///
  /// - Returns: the last one; nil when there are none behind `after`.
  static func markPage(
    of aggregateId: String, after: String, limit: Int, _ connection: Connection, at now: Int64
  ) throws -> String? {
    let skus = try connection.withStatement(
      "SELECT sku FROM \(StockSchema.table) WHERE aggregate_id = ?1 AND sku > ?2 ORDER BY sku LIMIT ?3"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(after, at: 2)
      try statement.bind(Int64(limit), at: 3)
      var skus: [String] = []
      while try statement.step() { skus.append(statement.text(0)) }
      return skus
    }
    guard let last = skus.last else { return nil }
    try mark(skus, of: aggregateId, connection, at: now)
    return last
  }

  /// The aggregates with a target that hold a SKU.
  static func aggregates(holding sku: String, _ connection: Connection) throws -> [String] {
    try connection.withStatement(
      """
      SELECT t.aggregate_id FROM \(StockSchema.target) AS t
      JOIN \(StockSchema.table) AS s ON s.aggregate_id = t.aggregate_id AND s.sku = ?1 ORDER BY t.aggregate_id
      """
    ) { statement in
      try statement.bind(sku, at: 1)
      var found: [String] = []
      while try statement.step() { found.append(statement.text(0)) }
      return found
    }
  }

  /// Something of a partition has gone to the shop.
  static func notePushed(_ key: PushKey, _ connection: Connection, at now: Int64) throws {
    try connection.withStatement("UPDATE \(StockSchema.target) SET last_pushed_at = ?2 WHERE aggregate_id = ?1") {
      statement in
      try statement.bind(key.aggregateId, at: 1)
      try statement.bind(now, at: 2)
      _ = try statement.run()
    }
    // Failures that may be because of a row count until nothing is due.
    try connection.withStatement(
      "DELETE FROM \(StockSchema.error) WHERE aggregate_id = ?1 AND part = ?2 AND stops = 0"
    ) { statement in
      try bind(key, statement)
      _ = try statement.run()
    }
  }

  /// Why nothing of a partition goes now. That of another partition says nothing of it.
  ///
  /// - Parameter isStop: whether the shop has failed, and it may be because of a row; ``stops(_:_:)`` counts how often in a row.
  static func note(
    _ error: String, _ key: PushKey, _ connection: Connection, at now: Int64, isStop: Bool = false
  ) throws {
    try connection.withStatement(
      """
      INSERT INTO \(StockSchema.error) (aggregate_id, part, error, at, stops)
      SELECT aggregate_id, ?2, ?3, ?4, ?5 FROM \(StockSchema.target) WHERE aggregate_id = ?1
      ON CONFLICT (aggregate_id, part) DO UPDATE SET error = excluded.error, at = excluded.at,
        stops = CASE WHEN excluded.stops > 0 THEN \(StockSchema.error).stops + 1 ELSE 0 END
      """
    ) { statement in
      try bind(key, statement)
      try statement.bind(String(error.prefix(500)), at: 3)
      try statement.bind(now, at: 4)
      try statement.bind(isStop ? 1 : 0, at: 5)
      _ = try statement.run()
    }
  }

  static func stops(_ key: PushKey, _ connection: Connection) throws -> Int64 {
    try connection.withStatement("SELECT stops FROM \(StockSchema.error) WHERE aggregate_id = ?1 AND part = ?2") {
      statement in
      try bind(key, statement)
      return try statement.step() ? statement.integer(0) : 0
    }
  }

  static func clearError(_ key: PushKey, _ connection: Connection) throws {
    try connection.withStatement("DELETE FROM \(StockSchema.error) WHERE aggregate_id = ?1 AND part = ?2") {
      statement in
      try bind(key, statement)
      _ = try statement.run()
    }
  }

  /// Of all aggregates that have stock or a target, in the order of their ids.
  static func statuses(_ connection: Connection) throws -> [PushStatus] {
    var found: [String: PushStatus] = [:]
    func each(_ sql: String, _ body: (Statement, inout PushStatus) -> Void) throws {
      try connection.withStatement(sql) { statement in
        while try statement.step() {
          let id = statement.text(0)
          body(statement, &found[id, default: PushStatus(aggregateId: id)])
        }
      }
    }
    try each("SELECT aggregate_id, COUNT(*) FROM \(StockSchema.table) GROUP BY aggregate_id") {
      $1.skus = $0.integer(1)
    }
    try each("SELECT aggregate_id, website, source, last_pushed_at FROM \(StockSchema.target)") {
      $1.website = $0.text(1)
      $1.source = $0.text(2)
      $1.lastPushedAt = $0.integer(3)
    }
    // The newest stays.
    try each("SELECT aggregate_id, error FROM \(StockSchema.error) ORDER BY at, part") { $1.lastError = $0.text(1) }
    try each(
      """
      SELECT b.aggregate_id, b.reason FROM \(StockSchema.bulk) AS b
      JOIN \(StockSchema.target) AS t ON t.aggregate_id = b.aggregate_id WHERE b.again_at > 0 ORDER BY b.again_at
      """
    ) { $1.lostJob = $0.text(1) }
    try each(
      "SELECT aggregate_id, SUM(1 - failed), SUM(failed) FROM \(StockSchema.push) GROUP BY aggregate_id"
    ) {
      $1.pending = $0.integer(1)
      $1.failed = $0.integer(2)
    }
    try each(
      """
      SELECT p.aggregate_id, p.sku, p.reason FROM \(StockSchema.push) AS p
      JOIN (SELECT aggregate_id, MIN(sku) AS sku FROM \(StockSchema.push) WHERE failed = 1 GROUP BY aggregate_id) AS f
        ON f.aggregate_id = p.aggregate_id AND f.sku = p.sku
      """
    ) { $1.refused = "\(quotable($0.text(1))): \($0.text(2))" }
    return found.values.sorted { $0.aggregateId < $1.aggregateId }
  }
}
