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
      for row in snapshot.rows {
        try statement.bind(max(0, row.quantity), at: 3)
        try statement.bind(row.unlimited, at: 4)
        if try statement.run(text: row.sku, at: 2) == 0 {
          outcome.stale += 1
        } else if row.quantity < 0 {
          clamped.append(row)
        } else {
          outcome.applied += 1
        }
      }
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
  /// OR FAIL: with ABORT, the default, SQLite would note down every page for taking this one statement back.
  private static let zero = """
    UPDATE OR FAIL \(StockSchema.table) SET quantity = 0, created_on = ?2, by_nonzero = 1
    WHERE aggregate_id = ?1 AND created_on <= ?2 AND unlimited = 0 AND NOT (by_nonzero = 1 AND created_on = ?2)
    """

  private static let zeroExceptNamed = zero + " AND sku NOT IN (SELECT sku FROM temp.named)"

  private func zeroLeftOut(_ snapshot: StockSnapshot, _ connection: Connection) throws -> Int {
    let named = snapshot.namedByInvalidRows
    if !named.isEmpty { try note(named, connection) }
    return try connection.withStatement(named.isEmpty ? Self.zero : Self.zeroExceptNamed) {
      statement throws(StorageError) in
      try statement.bind(snapshot.aggregateId, at: 1)
      try statement.bind(snapshot.createdOn.nanoseconds, at: 2)
      return try statement.run()
    }
  }

  private func note(_ skus: [String], _ connection: Connection) throws {
    try connection.execute("CREATE TEMP TABLE IF NOT EXISTS named (sku TEXT PRIMARY KEY) WITHOUT ROWID")
    try connection.execute("DELETE FROM temp.named")
    try connection.withStatement("INSERT OR IGNORE INTO temp.named (sku) VALUES (?1)") {
      statement throws(StorageError) in
      for sku in skus { try statement.run(text: sku, at: 1) }
    }
  }
}
