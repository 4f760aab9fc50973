/// Sorts rows by the bytes of their SKUs, as the store compares them, and keeps rows of one SKU in their order.
///
/// Swift's own order of strings is Unicode's, in which different bytes can be equal. Most messages are sorted already,
/// which one pass finds out. This runs on an event loop, so it has to be quick for 10 000 rows: it sorts by a number made
/// of the first eight bytes in which the SKUs differ, and compares texts only where that is equal.
func sortBySKU(_ rows: inout [StockRow]) {
  let isSorted = zip(rows, rows.dropFirst()).allSatisfy { !precedes($1.sku, $0.sku, from: 0) }
  if isSorted { return }
  let common = commonPrefix(rows)
  var keys = rows.enumerated().map { SortKey(prefix: eightBytes(of: $1.sku, from: common), position: $0) }
  let unsorted = rows
  keys.sort { a, b in
    if a.prefix != b.prefix { return a.prefix < b.prefix }
    let (left, right) = (unsorted[a.position].sku, unsorted[b.position].sku)
    if precedes(left, right, from: common) { return true }
    return a.position < b.position && !precedes(right, left, from: common)
  }
  for (position, key) in keys.enumerated() { rows[position] = unsorted[key.position] }
}

private struct SortKey {
  let prefix: UInt64
  let position: Int
}

/// How many bytes all SKUs begin with: shops like to begin them alike.
private func commonPrefix(_ rows: [StockRow]) -> Int {
  guard let first = rows.first else { return 0 }
  var common = first.sku.utf8.count
  for row in rows.dropFirst() {
    common = withBytes(first.sku, row.sku) { a, b in
      var count = 0
      while count < min(common, b.count), a[count] == b[count] { count += 1 }
      return count
    }
  }
  return common
}

/// The bytes from `start` on as a number that compares as they do; zeros stand for those that are missing.
private func eightBytes(of sku: String, from start: Int) -> UInt64 {
  var sku = sku
  return sku.withUTF8 { bytes in
    var value: UInt64 = 0
    for index in start..<start + 8 { value = value << 8 | (index < bytes.count ? UInt64(bytes[index]) : 0) }
    return value
  }
}

/// Whether `a` comes before `b`; both have the same bytes before `start`.
func precedes(_ a: String, _ b: String, from start: Int) -> Bool {
  withBytes(a, b) { a, b in
    let shorter = min(a.count, b.count)
    var index = start
    while index < shorter {
      if a[index] != b[index] { return a[index] < b[index] }
      index += 1
    }
    return a.count < b.count
  }
}

@inline(__always)
private func withBytes<Result>(
  _ a: String, _ b: String, _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Result
) -> Result {
  var (a, b) = (a, b)
  return a.withUTF8 { a in b.withUTF8 { b in body(a, b) } }
}
