import ServiceKit

/// The stock of a source that has been checked: what the OMS is told.
struct SourceSnapshot: Sendable {
  let sourceID: String
  let mode: SnapshotMode
  let createdOn: CreatedOn
  /// In the order of their SKUs' bytes, each SKU once, no quantity below 0.
  let rows: [StockRow]
  /// Rows with a negative quantity, which became 0.
  let clamped: Int
  /// The first of them, at most ``SnapshotLimits/reportedRows``.
  let clampedRows: [RowIssue]
  /// Rows that are not sent.
  let invalid: Int
  /// The first of them, at most ``SnapshotLimits/reportedRows``.
  let invalidRows: [RowIssue]
}

/// Checks a source's snapshot row by row. A bad row is noted and never sinks the good ones, unless leaving it out would say
/// something of it.
struct SourceSnapshotBuilder {
  private let sourceID: String
  private let mode: SnapshotMode
  private let createdOn: CreatedOn
  private var rows: [StockRow] = []
  private var index = 0
  private var clamped = (count: 0, rows: [RowIssue]())
  private var invalid = (count: 0, rows: [RowIssue]())

  init(sourceID: String, mode: SnapshotMode, createdOn: CreatedOn) {
    self.sourceID = sourceID
    self.mode = mode
    self.createdOn = createdOn
  }

  mutating func add(sku: String, quantity: RowQuantity, unlimited: Bool) {
    defer { index += 1 }
    do throws(RowProblem) {
      if let problem = RowRules.problem(ofSKU: sku) { throw RowProblem(problem) }
      let units = try RowRules.units(quantity)
      if units < 0 { note("quantity \(units) is negative; sent as 0", sku, in: &clamped) }
      rows.append(
        StockRow(sku: sku, quantity: max(0, units), unlimited: unlimited, index: Int32(truncatingIfNeeded: index)))
    } catch {
      note(error.description, sku, in: &invalid)
    }
  }

  /// - Throws: when a row of a NONZERO is invalid: what it leaves out becomes 0.
  consuming func build() throws(SnapshotError) -> SourceSnapshot {
    if mode == .nonzero, let issue = invalid.rows.first {
      throw SnapshotError(
        "snapshot \(quotable(sourceID)): row \(issue.row), SKU \"\(issue.sku)\": \(issue.reason); a NONZERO without the row "
          + "would say that there is none: correct it, or send a DELTA", field: "snapshot.stock[\(issue.row)]")
    }
    sortBySKU(&rows)
    return SourceSnapshot(
      sourceID: sourceID, mode: mode, createdOn: createdOn, rows: Self.lastOfEach(rows), clamped: clamped.count,
      clampedRows: clamped.rows, invalid: invalid.count, invalidRows: invalid.rows)
  }

  private func note(_ reason: String, _ sku: String, in issues: inout (count: Int, rows: [RowIssue])) {
    issues.count += 1
    guard issues.rows.count < SnapshotLimits.reportedRows else { return }
    issues.rows.append(RowIssue(row: index, sku: quotable(sku), aggregateId: "", reason: reason))
  }

  private static func lastOfEach(_ sorted: [StockRow]) -> [StockRow] {
    var rows: [StockRow] = []
    rows.reserveCapacity(sorted.count)
    for row in sorted {
      if let last = rows.last, last.hasSKU(of: row) { rows.removeLast() }
      rows.append(row)
    }
    return rows
  }
}

extension StockRow {
  /// Whether both are about one SKU. Texts that Unicode holds for equal may differ in their bytes, and SKUs then do.
  func hasSKU(of other: StockRow) -> Bool { sku.utf8.elementsEqual(other.sku.utf8) }
}

extension [StockRow] {
  /// In parts that fit a message of the bus: 10 000 SKUs (connector.md §5), and bytes that fit the way there even if JSON
  /// takes six for one. One part at least.
  func inParts(rows limit: Int = SnapshotLimits.rows, skuBytes: Int = 512 << 10) -> [ArraySlice<StockRow>] {
    var parts: [ArraySlice<StockRow>] = []
    var (start, bytes) = (startIndex, 0)
    for (index, row) in enumerated() {
      if index - start == limit || index > start && bytes + row.sku.utf8.count > skuBytes {
        parts.append(self[start..<index])
        (start, bytes) = (index, 0)
      }
      bytes += row.sku.utf8.count
    }
    return parts + [self[start...]]
  }
}
