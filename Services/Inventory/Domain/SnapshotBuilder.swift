import Glibc
import ServiceKit

/// Checks a message row by row and makes a ``StockSnapshot`` of it. A bad row is noted and never sinks the good ones.
struct SnapshotBuilder {
  private let aggregateId: String
  private let mode: SnapshotMode
  private let createdOn: CreatedOn
  private var rows: [StockRow] = []
  private var index = 0
  private var invalid = 0
  private var invalidRows: [RowIssue] = []
  private var namedByInvalidRows: [String] = []

  /// - Parameter rowCount: rows that will be added.
  /// - Throws: when the message as a whole is bad.
  init(aggregateId: String, mode: SnapshotMode, createdOn: CreatedOn, rowCount: Int) throws(SnapshotError) {
    try Self.check(aggregateId: aggregateId)
    if rowCount > SnapshotLimits.rows {
      throw SnapshotError(
        "snapshot \(quotable(aggregateId)): \(rowCount) rows; at most \(SnapshotLimits.rows) in one message: "
          + "send it in parts with the same created_on", field: "snapshot.stock")
    }
    self.aggregateId = aggregateId
    self.mode = mode
    self.createdOn = createdOn
    rows.reserveCapacity(rowCount)
  }

  /// - Throws: when there is none or it is too long.
  static func check(aggregateId: String) throws(SnapshotError) {
    if aggregateId.isEmpty {
      throw SnapshotError(
        "snapshot: aggregate_id is missing; send the id of the OMS's aggregate", field: "snapshot.aggregate_id")
    }
    if hasNUL(aggregateId) {
      throw SnapshotError(
        "snapshot \(quotable(aggregateId)): aggregate_id has a NUL character; send the id of the OMS's aggregate",
        field: "snapshot.aggregate_id")
    }
    if aggregateId.utf8.count > SnapshotLimits.aggregateIdBytes {
      throw SnapshotError(
        "snapshot \(quotable(aggregateId)): aggregate_id has \(aggregateId.utf8.count) bytes; "
          + "at most \(SnapshotLimits.aggregateIdBytes)", field: "snapshot.aggregate_id")
    }
  }

  mutating func add(sku: String, quantity: RowQuantity, unlimited: Bool) {
    defer { index += 1 }
    if let problem = RowRules.problem(ofSKU: sku) { return refuse(sku, problem) }
    do throws(RowProblem) {
      let units = try RowRules.units(quantity)
      rows.append(StockRow(sku: sku, quantity: units, unlimited: unlimited, index: Int32(truncatingIfNeeded: index)))
    } catch {
      refuse(sku, error.description)
      namedByInvalidRows.append(sku)
    }
  }

  /// Notes a row that doesn't have the form of one.
  ///
  /// - Parameter sku: as far as it could be read; else empty.
  mutating func addUnreadable(sku: String, reason: String) {
    refuse(sku, reason)
    index += 1
    if !sku.isEmpty && sku.utf8.count <= SnapshotLimits.skuBytes && !hasNUL(sku) { namedByInvalidRows.append(sku) }
  }

  /// Takes over what was found of bad rows before, of a snapshot that was held.
  ///
  /// - Parameters:
  ///   - count: of them.
  ///   - issues: the first of them.
  ///   - skus: those that they name.
  mutating func addRefused(_ count: Int, _ issues: [RowIssue], naming skus: [String]) {
    invalid += count
    invalidRows += issues.prefix(max(0, SnapshotLimits.reportedRows - invalidRows.count))
    namedByInvalidRows += skus
  }

  consuming func build() -> StockSnapshot {
    sortBySKU(&rows)
    return StockSnapshot(
      aggregateId: aggregateId, mode: mode, createdOn: createdOn, rows: rows, invalid: invalid,
      invalidRows: invalidRows, namedByInvalidRows: namedByInvalidRows)
  }

  private mutating func refuse(_ sku: String, _ reason: String) {
    invalid += 1
    guard invalidRows.count < SnapshotLimits.reportedRows else { return }
    invalidRows.append(RowIssue(row: index, sku: quotable(sku), aggregateId: aggregateId, reason: reason))
  }
}
