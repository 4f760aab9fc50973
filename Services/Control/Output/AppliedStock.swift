import Messages

/// What became of the rows of one snapshot, or of a stream of them.
struct AppliedStock {
  let tables: [Table]

  init(_ response: Omsconnector.V1.ApplyStockSnapshotResponse, snapshots: Int = 1) {
    tables = Self.tables(
      [response.applied, response.stale, response.clamped, response.invalid, response.zeroed],
      snapshots: Int64(snapshots),
      clamped: response.clampedRows, invalid: response.invalidRows)
  }

  /// - Parameter row: what a row's number is.
  init(_ response: Omsconnector.V1.StreamStockSnapshotsResponse, row: String = "ROW") {
    tables = Self.tables(
      [response.applied, response.stale, response.clamped, response.invalid, response.zeroed],
      snapshots: response.snapshots, clamped: response.clampedRows, invalid: response.invalidRows, row: row)
  }

  private static func tables(
    _ counts: [Int64], snapshots: Int64, clamped: [Omsconnector.V1.StockRowIssue],
    invalid: [Omsconnector.V1.StockRowIssue], row: String = "ROW"
  ) -> [Table] {
    var totals = Table(
      .right("SNAPSHOTS"), .right("APPLIED"), .right("STALE"), .right("CLAMPED"), .right("INVALID"), .right("ZEROED"))
    totals.add(([snapshots] + counts).map { String($0) })
    guard !clamped.isEmpty || !invalid.isEmpty else { return [totals] }
    var issues = Table(.left("ISSUE"), .right(row), .left("AGGREGATE"), .left("SKU"), .left("REASON"))
    for (what, rows) in [("clamped", clamped), ("invalid", invalid)] {
      for row in rows { issues.add([what, String(row.row), row.aggregateId, row.sku, row.reason]) }
    }
    return [totals, issues]
  }
}
