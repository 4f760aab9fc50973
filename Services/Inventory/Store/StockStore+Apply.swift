import ServiceKit
import Storage

extension StockStore {
  /// The rule of stock: per aggregate and SKU, a row older than the stored one changes nothing, an equally old or newer
  /// one is written. It is one statement, so that no other writer comes between the test and the write.
  static let upsert = """
    INSERT INTO \(StockSchema.table) (aggregate_id, sku, quantity, unlimited, created_on, by_nonzero)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (aggregate_id, sku) DO UPDATE SET
      quantity = excluded.quantity, unlimited = excluded.unlimited, created_on = excluded.created_on,
      by_nonzero = excluded.by_nonzero
    WHERE excluded.created_on >= \(StockSchema.table).created_on
    """

  func apply(_ snapshot: StockSnapshot, _ connection: Connection) throws -> SnapshotOutcome {
    var outcome = try upsert(snapshot, connection)
    if snapshot.mode == .nonzero { outcome.zeroed = try zeroLeftOut(snapshot, connection) }
    return outcome
  }

  private func upsert(_ snapshot: StockSnapshot, _ connection: Connection) throws -> SnapshotOutcome {
    var outcome = SnapshotOutcome()
    outcome.invalid = snapshot.invalid
    outcome.invalidRows = snapshot.invalidRows
    var clamped: [StockRow] = []
    try connection.withStatement(Self.upsert) { statement throws(StorageError) in
      try statement.bind(snapshot.aggregateId, at: 1)
      try statement.bind(snapshot.createdOn.nanoseconds, at: 5)
      try statement.bind(snapshot.mode == .nonzero, at: 6)
      try statement.runEach(
        snapshot.rows, text: { $0.sku }, at: 2,
        bind: { row throws(StorageError) in
          try statement.bind(max(0, row.quantity), at: 3)
          try statement.bind(row.unlimited, at: 4)
        },
        changed: { row, count in
          if count == 0 {
            outcome.stale += 1
          } else if row.quantity < 0 {
            clamped.append(row)
          } else {
            outcome.applied += 1
          }
        })
    }
    outcome.clamped = clamped.count
    outcome.clampedRows = issues(clamped, snapshot)
    return outcome
  }

  private func issues(_ clamped: [StockRow], _ snapshot: StockSnapshot) -> [RowIssue] {
    let inMessageOrder = clamped.sorted { $0.index < $1.index }
    return inMessageOrder.prefix(SnapshotLimits.reportedRows).map { row in
      RowIssue(
        row: Int(row.index), sku: quotable(row.sku), aggregateId: snapshot.aggregateId,
        reason: "quantity \(row.quantity) is negative; applied as 0")
    }
  }

  /// Zeroes what a NONZERO leaves out, by the same test of time. The rows written just now carry its created_on and
  /// mark, so the last condition spares them, and those of the other parts of one NONZERO, too.
  ///
  /// A zeroed row takes the NONZERO's created_on: an older DELTA that comes late must not bring it back.
  private static let zero = """
    \(StockSchema.table) SET quantity = 0, created_on = ?2, by_nonzero = 1
    WHERE aggregate_id = ?1 AND created_on <= ?2 AND unlimited = 0 AND NOT (by_nonzero = 1 AND created_on = ?2)
    """

  /// OR FAIL: with ABORT, the default, SQLite would note down every page for taking this one statement back.
  private static let zeroOnSQLite = "UPDATE OR FAIL \(zero)"
  private static let zeroExceptOnSQLite = "\(zeroOnSQLite) AND sku NOT IN (SELECT value FROM json_each(?3))"
  private static let zeroOnPostgreSQL = "UPDATE \(zero)"
  private static let zeroExceptOnPostgreSQL = """
    \(zeroOnPostgreSQL) AND sku NOT IN (SELECT jsonb_array_elements_text(CAST(?3 AS JSONB)))
    """

  private func zeroLeftOut(_ snapshot: StockSnapshot, _ connection: Connection) throws -> Int {
    let named = snapshot.namedByInvalidRows
    let (all, except) =
      switch connection.engine {
      case .sqlite: (Self.zeroOnSQLite, Self.zeroExceptOnSQLite)
      case .postgresql: (Self.zeroOnPostgreSQL, Self.zeroExceptOnPostgreSQL)
      }
    return try connection.withStatement(named.isEmpty ? all : except) { statement throws(StorageError) in
      try statement.bind(snapshot.aggregateId, at: 1)
      try statement.bind(snapshot.createdOn.nanoseconds, at: 2)
      if !named.isEmpty { try statement.bind(JSONList.text(of: named), at: 3) }
      return try statement.run()
    }
  }
}
