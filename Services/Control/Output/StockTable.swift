import Messages

/// Stock, a line for each SKU.
enum StockTable {
  static func of(_ stock: [Omsconnector.V1.Stock]) -> Table {
    var table = Table(.left("AGGREGATE"), .left("SKU"), .right("QUANTITY"), .left("LIMIT"), .left("AS OF"))
    for row in stock {
      table.add(
        row.aggregateId, row.sku, String(row.quantity), row.unlimited ? "unlimited" : "", row.createdOn?.text ?? "")
    }
    return table
  }
}
