import ServiceKit

/// Changes of the stock of a source that have been checked: what the OMS is told.
struct SourceAdjustment: Sendable {
  /// Bytes of a reason in UTF-8.
  static let reasonBytes = 1_024

  let sourceID: String
  let reason: String
  let createdOn: CreatedOn
  /// In the order of their SKUs' bytes, each SKU once. A quantity is what is added, so it may be negative.
  let rows: [StockRow]

  /// - Parameter rows: valid ones; those of one SKU are added up.
  /// - Throws: when there is no reason, no row, or a sum beyond 64 bits.
  init(sourceID: String, reason: String, createdOn: CreatedOn, rows: [StockRow]) throws(SnapshotError) {
    let name = "adjustment \(quotable(sourceID))"
    if reason.isEmpty {
      throw SnapshotError("\(name): reason is missing; send why the stock changes", field: "adjustment.reason")
    }
    if reason.utf8.count > Self.reasonBytes {
      throw SnapshotError(
        "\(name): reason has \(reason.utf8.count) bytes; at most \(Self.reasonBytes)", field: "adjustment.reason")
    }
    if rows.isEmpty {
      throw SnapshotError("\(name): adjustments is empty; send one at least", field: "adjustment.adjustments")
    }
    self.sourceID = sourceID
    self.reason = reason
    self.createdOn = createdOn
    var sorted = rows
    sortBySKU(&sorted)
    self.rows = try Self.sums(sorted, name)
  }

  private static func sums(_ sorted: [StockRow], _ name: String) throws(SnapshotError) -> [StockRow] {
    var sums: [StockRow] = []
    sums.reserveCapacity(sorted.count)
    for row in sorted {
      guard let last = sums.last, last.hasSKU(of: row) else {
        sums.append(row)
        continue
      }
      let (sum, overflow) = last.quantity.addingReportingOverflow(row.quantity)
      if overflow {
        throw SnapshotError(
          "\(name): the quantities of SKU \"\(quotable(row.sku))\" add up to more than 64 bits hold",
          field: "adjustment.adjustments[\(row.index)].quantity")
      }
      sums[sums.count - 1] = StockRow(sku: row.sku, quantity: sum, unlimited: false, index: last.index)
    }
    return sums
  }
}
