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

  /// To be called under the key of the snapshot's aggregate: nobody else writes the aggregate meanwhile.
  ///
  /// - Parameter now: nanoseconds since 1970.
  func apply(
    _ snapshot: StockSnapshot, _ connection: Connection, now: Int64 = WallClock.nanoseconds()
  ) throws -> SnapshotOutcome {
    if snapshot.createdOn.nanoseconds > now + HeldSnapshots.longestAhead {
      return try HeldSnapshots.holdFuture(snapshot, connection, now: now)
    }
    var outcome = SnapshotOutcome()
    if snapshot.mode != .delta { try closeRun(before: snapshot, connection, &outcome, now: now) }
    let changes = try upsert(snapshot, connection, &outcome)
    if try note(changes, of: snapshot, connection, at: now) { outcome.isToPush = true }
    if snapshot.mode == .nonzero { try zeroLeftOut(snapshot, connection, &outcome, now: now) }
    return outcome
  }

  /// What the shop has to be told, and what the history has to keep: where a value is new or another one.
  struct Changes {
    var entries: [(row: StockRow, previous: StoredStock?)] = []

    /// - Parameter isAgain: whether the row before was of the same SKU and is taken over: then it counts as one change.
    mutating func add(_ row: StockRow, previous: StoredStock?, isAgain: Bool) {
      if isAgain, let last = entries.last, last.row.hasSKU(of: row) { entries.removeLast() }
      if let previous, previous.quantity == max(0, row.quantity), previous.unlimited == row.unlimited { return }
      entries.append((row, previous))
    }
  }

  private func upsert(
    _ snapshot: StockSnapshot, _ connection: Connection, _ outcome: inout SnapshotOutcome
  ) throws -> Changes {
    outcome.invalid = snapshot.invalid
    outcome.invalidRows = snapshot.invalidRows
    let stored = try storedStock(of: snapshot, connection)
    var changes = Changes()
    var clamped: [StockRow] = []
    var (index, applied, stale) = (0, 0, 0)
    // What there was before the first of the rows of one SKU.
    var last: (row: StockRow, previous: StoredStock?)?
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
          defer { index += 1 }
          if count == 0 {
            stale += 1
            return
          }
          if row.quantity < 0 { clamped.append(row) } else { applied += 1 }
          let isAgain = last.map { $0.row.hasSKU(of: row) } ?? false
          let previous = isAgain ? last?.previous : stored.isEmpty ? nil : stored[index]
          changes.add(row, previous: previous, isAgain: isAgain)
          last = (row, previous)
        })
    }
    outcome.applied = applied
    outcome.stale = stale
    outcome.clamped = clamped.count
    outcome.clampedRows = issues(clamped, snapshot)
    return changes
  }

  private func issues(_ clamped: [StockRow], _ snapshot: StockSnapshot) -> [RowIssue] {
    let inMessageOrder = clamped.sorted { $0.index < $1.index }
    return inMessageOrder.prefix(SnapshotLimits.reportedRows).map { row in
      RowIssue(
        row: Int(row.index), sku: quotable(row.sku), aggregateId: snapshot.aggregateId,
        reason: "quantity \(row.quantity) is negative; applied as 0")
    }
  }

  /// - Returns: whether the shop has to be told.
  private func note(
    _ changes: Changes, of snapshot: StockSnapshot, _ connection: Connection, at now: Int64
  ) throws -> Bool {
    if changes.entries.isEmpty { return false }
    let history = changes.entries.compactMap { entry in
      entry.previous.map {
        StockHistory.Entry(
          sku: entry.row.sku, quantity: max(0, entry.row.quantity), unlimited: entry.row.unlimited, previous: $0)
      }
    }
    try StockHistory.add(
      history, aggregateId: snapshot.aggregateId, mode: snapshot.mode, zeroed: false, createdOn: snapshot.createdOn,
      at: now, connection)
    return try PushQueue.mark(changes.entries.lazy.map(\.row.sku), of: snapshot.aggregateId, connection, at: now)
  }
}
