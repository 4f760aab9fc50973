import ServiceKit

/// What messages do to the stock of an aggregate by the rule: a row older than what there is changes nothing, an equally old or
/// newer one takes its place.
struct StockChanges: Sendable {
  /// What there is of a SKU then.
  struct Row: Sendable {
    let sku: String
    let stock: StoredStock
  }

  /// Each message's, in their order.
  private(set) var outcomes: [SnapshotOutcome]
  /// To be written: a row for each SKU that isn't stale.
  private(set) var rows: [Row] = []
  /// SKUs that have another value than before, or their first one.
  private(set) var changed: [String] = []
  /// The values that there were before.
  private(set) var history: [StockHistory.Entry] = []

  private let at: Int64
  private var hasChanges: [Bool]
  /// Rows with a negative quantity, by message.
  private var clamped: [[StockRow]]

  /// - Parameters:
  ///   - merged: the rows of `snapshots`.
  ///   - stored: what there is of each row's SKU; may be empty when there is nothing of any.
  ///   - at: nanoseconds since 1970.
  init(_ merged: MergedRows, _ snapshots: [StockSnapshot], stored: [StoredStock?], at: Int64) {
    self.at = at
    outcomes = snapshots.map { snapshot in
      var outcome = SnapshotOutcome()
      outcome.invalid = snapshot.invalid
      outcome.invalidRows = snapshot.invalidRows
      return outcome
    }
    hasChanges = snapshots.map { _ in false }
    clamped = snapshots.map { _ in [] }
    rows.reserveCapacity(merged.rows.count)
    var start = 0
    while start < merged.rows.count {
      let end = merged.endOfSKU(from: start)
      apply(merged, start..<end, snapshots, stored: stored.isEmpty ? nil : stored[start])
      start = end
    }
    for (message, rows) in clamped.enumerated() where !rows.isEmpty {
      outcomes[message].clamped = rows.count
      outcomes[message].clampedRows = Self.issues(rows, aggregateId: snapshots[message].aggregateId)
    }
  }

  /// The shop has to be told.
  mutating func markToPush() {
    for message in outcomes.indices where hasChanges[message] { outcomes[message].isToPush = true }
  }

  /// Rows of one SKU.
  private mutating func apply(
    _ merged: MergedRows, _ range: Range<Int>, _ snapshots: [StockSnapshot], stored: StoredStock?
  ) {
    let sku = merged.rows[range.lowerBound].sku
    var now = stored
    var isWritten = false
    var changes: Int64 = 0
    for index in range {
      let row = merged.rows[index]
      let origin = merged.origin(of: row)
      let createdOn = snapshots[origin.message].createdOn.nanoseconds
      if let now, now.createdOn > createdOn {
        outcomes[origin.message].stale += 1
        continue
      }
      if row.quantity < 0 {
        clamped[origin.message].append(
          StockRow(sku: sku, quantity: row.quantity, unlimited: row.unlimited, index: origin.index))
      } else {
        outcomes[origin.message].applied += 1
      }
      // Of one message's rows the last counts.
      let next = index + 1
      if next < range.upperBound, merged.origin(of: merged.rows[next]).message == origin.message { continue }
      let then = StoredStock(quantity: max(0, row.quantity), unlimited: row.unlimited, createdOn: createdOn)
      if now?.quantity != then.quantity || now?.unlimited != then.unlimited {
        hasChanges[origin.message] = true
        if changes == 0 { changed.append(sku) }
        // One after the other, as they would be in transactions of their own.
        if let now { history.append(.init(sku: sku, stock: then, previous: now, at: at + changes)) }
        changes += 1
      }
      (now, isWritten) = (then, true)
    }
    if isWritten, let now { rows.append(Row(sku: sku, stock: now)) }
  }

  private static func issues(_ clamped: [StockRow], aggregateId: String) -> [RowIssue] {
    let inMessageOrder = clamped.sorted { $0.index < $1.index }
    return inMessageOrder.prefix(SnapshotLimits.reportedRows).map { row in
      RowIssue(
        row: Int(row.index), sku: quotable(row.sku), aggregateId: aggregateId,
        reason: "quantity \(row.quantity) is negative; applied as 0")
    }
  }
}
