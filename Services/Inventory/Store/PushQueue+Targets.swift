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
  /// Nanoseconds since 1970; 0 for never.
  var lastPushedAt: Int64 = 0
  /// Empty for none.
  var lastError = ""
}

extension PushQueue {
  /// Makes the mapping's aggregates those that are pushed. What is new, or goes somewhere else now, is pushed whole.
  static func setTargets(_ targets: [String: PushTarget], _ connection: Connection) throws {
    let known = try connection.withStatement("SELECT aggregate_id, website, source FROM \(StockSchema.target)") {
      statement in
      var known: [String: PushTarget] = [:]
      while try statement.step() {
        let source = statement.text(2)
        known[statement.text(0)] = .init(website: statement.text(1), source: source.isEmpty ? nil : source)
      }
      return known
    }
    for id in known.keys.sorted() where targets[id] == nil {
      for sql in ["DELETE FROM \(StockSchema.target)", "DELETE FROM \(StockSchema.push)"] {
        try connection.withStatement("\(sql) WHERE aggregate_id = ?1") { statement in
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

  /// - Parameters:
  ///   - error: why nothing goes now; nil when something has gone.
  static func note(_ aggregateId: String, error: String?, _ connection: Connection, at now: Int64) throws {
    let assignment = error == nil ? "last_pushed_at = ?2, last_error = ?3" : "last_error = ?3"
    try connection.withStatement("UPDATE \(StockSchema.target) SET \(assignment) WHERE aggregate_id = ?1") {
      statement in
      try statement.bind(aggregateId, at: 1)
      if error == nil { try statement.bind(now, at: 2) }
      try statement.bind(String((error ?? "").prefix(500)), at: 3)
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
    try each("SELECT aggregate_id, website, source, last_pushed_at, last_error FROM \(StockSchema.target)") {
      $1.website = $0.text(1)
      $1.source = $0.text(2)
      $1.lastPushedAt = $0.integer(3)
      $1.lastError = $0.text(4)
    }
    try each(
      "SELECT aggregate_id, SUM(1 - failed), SUM(failed) FROM \(StockSchema.push) GROUP BY aggregate_id"
    ) {
      $1.pending = $0.integer(1)
      $1.failed = $0.integer(2)
    }
    return found.values.sorted { $0.aggregateId < $1.aggregateId }
  }
}
