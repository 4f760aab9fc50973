import Messages

/// What became of the rows of a file, over all its parts.
struct ImportedStock {
  /// Rows that are named, of each kind.
  static let namedRows = 1_000

  /// Rows have the number of their line.
  private(set) var total = Omsconnector.V1.StreamStockSnapshotsResponse()

  /// - Parameter lines: where in the file the rows of the part are.
  mutating func add(_ part: Omsconnector.V1.ApplyStockSnapshotResponse, lines: [Int]) {
    total.applied += part.applied
    total.stale += part.stale
    total.clamped += part.clamped
    total.invalid += part.invalid
    total.zeroed += part.zeroed
    total.snapshots += 1
    Self.add(part.clampedRows, lines, to: &total.clampedRows)
    Self.add(part.invalidRows, lines, to: &total.invalidRows)
  }

  private static func add(
    _ issues: [Omsconnector.V1.StockRowIssue], _ lines: [Int], to rows: inout [Omsconnector.V1.StockRowIssue]
  ) {
    for var issue in issues.prefix(namedRows - rows.count) {
      if lines.indices.contains(Int(clamping: issue.row)) { issue.row = Int64(lines[Int(issue.row)]) }
      rows.append(issue)
    }
  }
}
