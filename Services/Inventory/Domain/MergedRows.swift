/// The rows of messages about one aggregate in the order of their SKUs' bytes; rows of one SKU in the order in which they came.
struct MergedRows: Sendable {
  let rows: [StockRow]
  private let messages: Int
  /// Where each row of several messages comes from, by its `index`; empty for one message.
  private let origins: [Origin]

  struct Origin: Sendable {
    /// Of the messages, from 0.
    let message: Int
    /// In the message, from 0.
    let index: Int32
  }

  init(_ snapshots: [StockSnapshot]) {
    messages = snapshots.count
    if snapshots.count == 1 {
      (rows, origins) = (snapshots[0].rows, [])
      return
    }
    var rows: [StockRow] = []
    var origins: [Origin] = []
    for (message, snapshot) in snapshots.enumerated() {
      for row in snapshot.rows {
        rows.append(
          StockRow(sku: row.sku, quantity: row.quantity, unlimited: row.unlimited, index: Int32(origins.count)))
        origins.append(Origin(message: message, index: row.index))
      }
    }
    sortBySKU(&rows)
    (self.rows, self.origins) = (rows, origins)
  }

  /// Large messages mostly name neighbours; small ones, SKUs all over the aggregate.
  var areNeighbours: Bool { messages == 1 || rows.count >= messages * Self.large }

  /// Rows of a message, in the mean.
  private static let large = 500

  func origin(of row: StockRow) -> Origin {
    origins.isEmpty ? Origin(message: 0, index: row.index) : origins[Int(row.index)]
  }

  /// One past the last row that has the SKU of the one at `start`.
  func endOfSKU(from start: Int) -> Int {
    var end = start + 1
    while end < rows.count, rows[end].hasSKU(of: rows[start]) { end += 1 }
    return end
  }
}
