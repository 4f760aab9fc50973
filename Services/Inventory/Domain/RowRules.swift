import ServiceKit

/// What a row of stock has to keep to, whichever way it goes.
enum RowRules {
  /// - Returns: what is wrong with the SKU; nil when nothing is.
  static func problem(ofSKU sku: String) -> String? {
    if sku.isEmpty { return "sku is empty; send the product's SKU" }
    if sku.utf8.count > SnapshotLimits.skuBytes {
      return "sku has \(sku.utf8.count) bytes; at most \(SnapshotLimits.skuBytes)"
    }
    if hasNUL(sku) { return "sku has a NUL character; send the product's SKU" }
    return nil
  }

  /// - Throws: what is wrong with the quantity.
  static func units(_ quantity: RowQuantity) throws(RowProblem) -> Int64 {
    switch quantity {
    case .units(let units): return units
    case .missing: throw RowProblem("quantity is missing; send a whole number, for an unlimited SKU too")
    case .notWhole(let text): throw RowProblem("quantity \"\(quotable(text))\" is not a whole number")
    case .outOfRange(let text):
      throw RowProblem("quantity \"\(quotable(text))\" is beyond 64 bits; send at most \(Int64.max)")
    }
  }
}

/// Why a row can't be used, and what to send instead.
struct RowProblem: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
