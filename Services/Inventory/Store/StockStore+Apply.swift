import ServiceKit
import Storage

extension StockStore {
  /// The rule of stock: per aggregate and SKU, a row older than the stored one changes nothing, an equally old or newer
  /// one is written. It is one statement, so that no other writer comes between the test and the write.
  ///
  /// What a NONZERO has named or zeroed keeps its mark while others of the same created_on write it: it is not left out.
  static let upsert = """
    INSERT INTO \(StockSchema.table) (aggregate_id, sku, quantity, unlimited, created_on, by_nonzero)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (aggregate_id, sku) DO UPDATE SET
      quantity = excluded.quantity, unlimited = excluded.unlimited, created_on = excluded.created_on,
      by_nonzero = CASE WHEN excluded.created_on = \(StockSchema.table).created_on AND \(StockSchema.table).by_nonzero = 1
        THEN 1 ELSE excluded.by_nonzero END
    WHERE excluded.created_on >= \(StockSchema.table).created_on
    """

  /// The same for many rows at once: PostgreSQL takes several times as long for a statement as for a row.
  private static let upsertTogether = upsert.replacing(
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    with: "SELECT ?1, sku, quantity, unlimited, ?5, ?6 FROM unnest(?2, ?3, ?4) AS given (sku, quantity, unlimited)")

  /// To be called under the key of the snapshot's aggregate: nobody else writes the aggregate meanwhile.
  ///
  /// - Parameters:
  ///   - isPart: whether it is known to be one of several messages.
  func apply(
    _ snapshot: StockSnapshot, _ connection: Connection, isPart: Bool = false
  ) throws -> SnapshotOutcome {
    var now = clock()
    if snapshot.createdOn.nanoseconds > now + HeldSnapshots.longestAhead {
      return try HeldSnapshots.holdFuture(snapshot, connection, now: now)
    }
    var outcome = SnapshotOutcome()
    if snapshot.mode != .delta, try closeRun(before: snapshot, connection, &outcome, now: now) {
      // What is 0 by that may be set now: two changes of the history.
      now += 1
    }
    let changes = try upsert(snapshot, connection, &outcome)
    if try note(changes, of: snapshot, connection, at: now) { outcome.isToPush = true }
    if snapshot.mode == .nonzero { try zeroLeftOut(snapshot, isPart: isPart, connection, &outcome, now: now) }
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
    func add(_ row: StockRow, _ count: Int) {
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
    }
    if connection.engine == .postgresql, snapshot.rows.count > 1 {
      let isStale = try writeTogether(snapshot, stored, connection)
      for (row, isStale) in zip(snapshot.rows, isStale) { add(row, isStale ? 0 : 1) }
    } else {
      try writeEach(snapshot, connection, changed: add)
    }
    outcome.applied = applied
    outcome.stale = stale
    outcome.clamped = clamped.count
    outcome.clampedRows = issues(clamped, snapshot)
    return changes
  }

  private func writeEach(
    _ snapshot: StockSnapshot, _ connection: Connection, changed: (StockRow, Int) -> Void
  ) throws {
    try connection.withStatement(Self.upsert) { statement throws(StorageError) in
      try statement.bind(snapshot.aggregateId, at: 1)
      try statement.bind(snapshot.createdOn.nanoseconds, at: 5)
      try statement.bind(snapshot.mode == .nonzero, at: 6)
      try statement.runEach(
        snapshot.rows, text: { $0.sku }, at: 2,
        bind: { row throws(StorageError) in
          try statement.bind(max(0, row.quantity), at: 3)
          try statement.bind(row.unlimited, at: 4)
        }, changed: changed)
    }
  }

  /// Of several rows of one SKU it writes the last.
  ///
  /// - Returns: of each row whether it is stale.
  private func writeTogether(
    _ snapshot: StockSnapshot, _ stored: [StoredStock?], _ connection: Connection
  ) throws -> [Bool] {
    let rows = snapshot.rows
    let isStale = rows.indices.map { index in
      !stored.isEmpty && stored[index].map { $0.createdOn > snapshot.createdOn.nanoseconds } ?? false
    }
    let lasts = rows.indices.filter { $0 + 1 == rows.count || !rows[$0 + 1].hasSKU(of: rows[$0]) }
    let written = try connection.withStatement(Self.upsertTogether) { statement throws(StorageError) in
      try statement.bind(snapshot.aggregateId, at: 1)
      try statement.bind(array: lasts.map { rows[$0].sku }, at: 2)
      try statement.bind(array: lasts.map { max(0, rows[$0].quantity) }, at: 3)
      try statement.bind(array: lasts.map { rows[$0].unlimited ? 1 : 0 }, at: 4)
      try statement.bind(snapshot.createdOn.nanoseconds, at: 5)
      try statement.bind(snapshot.mode == .nonzero, at: 6)
      return try statement.run()
    }
    let expected = lasts.count { !isStale[$0] }
    if written != expected {
      // Nobody may write without the key. It is the statement that counts, and nothing of it stays.
      throw StorageError(
        .locked,
        "\(written) of \(lasts.count) SKUs of aggregate \(quotable(snapshot.aggregateId)) were written, not "
          + "\(expected): something else writes its stock", remedy: "send it again")
    }
    return isStale
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
