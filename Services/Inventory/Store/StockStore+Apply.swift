import ServiceKit
import Storage

extension StockStore {
  /// To be called under the key of the snapshot's aggregate: nobody else writes the aggregate meanwhile.
  ///
  /// - Parameters:
  ///   - isPart: whether it is known to be one of several messages.
  func apply(
    _ snapshot: StockSnapshot, _ connection: Connection, isPart: Bool = false
  ) throws -> SnapshotOutcome {
    var now = clock()
    if HeldSnapshots.isFuture(snapshot, now: now) {
      return try HeldSnapshots.holdFuture(snapshot, connection, now: now)
    }
    var outcome = SnapshotOutcome()
    if snapshot.mode != .delta, try closeRun(before: snapshot, connection, &outcome, now: now) {
      // What is 0 by that may be set now: two changes of the history.
      now += 1
    }
    for written in try write([snapshot], connection, at: now) { outcome.add(written) }
    if snapshot.mode == .nonzero { try zeroLeftOut(snapshot, isPart: isPart, connection, &outcome, now: now) }
    return outcome
  }

  /// As if each was applied after the one before it, with the statements of one.
  ///
  /// - Parameter deltas: of one aggregate; there is at least one.
  func apply(deltas: [StockSnapshot], _ connection: Connection) throws -> [SnapshotOutcome] {
    let now = clock()
    let written = try write(deltas.filter { !HeldSnapshots.isFuture($0, now: now) }, connection, at: now)
    var next = 0
    return try deltas.map { delta in
      if HeldSnapshots.isFuture(delta, now: now) { return try HeldSnapshots.holdFuture(delta, connection, now: now) }
      defer { next += 1 }
      return written[next]
    }
  }

  /// Writes the rows, their history and what the shop has to be told.
  ///
  /// - Parameter snapshots: of one aggregate and mode; one only, unless they are DELTAs.
  private func write(
    _ snapshots: [StockSnapshot], _ connection: Connection, at now: Int64
  ) throws -> [SnapshotOutcome] {
    guard let first = snapshots.first else { return [] }
    let merged = MergedRows(snapshots)
    let stored = try storedStock(
      of: merged.rows, in: first.aggregateId, areNeighbours: merged.areNeighbours, connection)
    var changes = StockChanges(merged, snapshots, stored: stored, at: now)
    try upsert(changes.rows, of: first, connection)
    if changes.changed.isEmpty { return changes.outcomes }
    try StockHistory.add(
      changes.history, aggregateId: first.aggregateId, mode: first.mode, zeroed: false, connection)
    if try PushQueue.mark(changes.changed, of: first.aggregateId, connection, at: now) { changes.markToPush() }
    return changes.outcomes
  }

  /// The rule of stock: per aggregate and SKU, a row older than the stored one changes nothing, an equally old or newer
  /// one is written, see ``StockChanges``. The statement tests it once more, so that no other writer comes between the test and the
  /// write unnoticed.
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
    with: """
      SELECT ?1, sku, quantity, unlimited, created_on, ?6
      FROM unnest(?2, ?3, ?4, ?5) AS given (sku, quantity, unlimited, created_on)
      """)

  /// - Parameters:
  ///   - rows: none of them stale, by what was read.
  ///   - snapshot: whose aggregate and mode they have.
  private func upsert(_ rows: [StockChanges.Row], of snapshot: StockSnapshot, _ connection: Connection) throws {
    if rows.isEmpty { return }
    let isTogether = connection.engine == .postgresql && rows.count > 1
    let written = try connection.withStatement(isTogether ? Self.upsertTogether : Self.upsert) {
      statement throws(StorageError) in
      try statement.bind(snapshot.aggregateId, at: 1)
      try statement.bind(snapshot.mode == .nonzero, at: 6)
      return isTogether ? try Self.writeTogether(rows, statement) : try Self.writeEach(rows, statement)
    }
    guard written != rows.count else { return }
    // Nobody may write without the key. It is the statement that counts, and nothing of it stays.
    throw StorageError(
      .locked,
      "\(written) of \(rows.count) SKUs of aggregate \(quotable(snapshot.aggregateId)) were written: something else writes "
        + "its stock", remedy: "send it again")
  }

  private static func writeEach(_ rows: [StockChanges.Row], _ statement: Statement) throws(StorageError) -> Int {
    var written = 0
    try statement.runEach(
      rows, text: { $0.sku }, at: 2,
      bind: { row throws(StorageError) in
        try statement.bind(row.stock.quantity, at: 3)
        try statement.bind(row.stock.unlimited, at: 4)
        try statement.bind(row.stock.createdOn, at: 5)
      }, changed: { written += $1 })
    return written
  }

  private static func writeTogether(_ rows: [StockChanges.Row], _ statement: Statement) throws(StorageError) -> Int {
    try statement.bind(array: rows.map(\.sku), at: 2)
    try statement.bind(array: rows.map(\.stock.quantity), at: 3)
    try statement.bind(array: rows.map { $0.stock.unlimited ? 1 : 0 }, at: 4)
    try statement.bind(array: rows.map(\.stock.createdOn), at: 5)
    return try statement.run()
  }
}
