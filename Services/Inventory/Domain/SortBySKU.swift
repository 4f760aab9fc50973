/// Sorts rows by the bytes of their SKUs, as the store compares them, and keeps rows of one SKU in their order.
///
/// Swift's own order of strings is Unicode's, in which different bytes can be equal; and most messages are sorted
/// already, which one pass finds out.
func sortBySKU(_ rows: inout [StockRow]) {
  let isSorted = zip(rows, rows.dropFirst()).allSatisfy { !precedes($1.sku, $0.sku) }
  if isSorted { return }
  rows.sort { a, b in
    if precedes(a.sku, b.sku) { return true }
    return a.index < b.index && !precedes(b.sku, a.sku)
  }
}

private func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
