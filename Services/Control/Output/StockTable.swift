import Messages

/// Stock, a line for each SKU.
enum StockTable {
  static func of(_ stock: [Omsconnector.V1.Stock]) -> Table {
    var table = Table(.left("AGGREGATE"), .left("SKU"), .right("QUANTITY"), .left("UNLIMITED"), .left("AS OF"))
    for row in stock {
      table.add(
        row.aggregateId, row.sku, String(row.quantity), row.unlimited ? "yes" : "no", row.createdOn?.text ?? "")
    }
    return table
  }
}
