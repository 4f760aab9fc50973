import Commerce

/// One line of an order as the OMS knows it, and what of the shop it stands for: what comes back names lines, and the shop
/// wants items and quantities (connector.md §2.2, "One MC item → N OMS lines").
struct LedgerLine: Equatable {
  /// From 1, unique within the order.
  var number: Int
  /// nil for shipping and services.
  var itemID: Int64?
  var productID: Int64?
  var sku: String
  var name: String
  var kind: SoldItem.Kind
  /// 1, or the whole row where it is not taken apart.
  var quantity: Decimal
  var amounts: RowAmounts
  var originalPrice: Decimal = 0
  var discountPercent: Decimal = 0
  var taxes: [SoldItem.AppliedTax] = []
  /// Of a bundle's part.
  var parent: Int?
  var imageURL: String?
  var isShippedTogether = false
}

extension LedgerLine {
  /// Above that many units an item is one line with a quantity (magento-rules.md §6).
  static let defaultUnitLimit = 100

  /// The lines of what was sold, one for each unit.
  static func lines(of items: [SoldItem], places: Int, unitLimit: Int = defaultUnitLimit) -> [LedgerLine] {
    var lines: [LedgerLine] = []
    for item in items {
      if item.kind == .bundle {
        appendBundle(item, places: places, unitLimit: unitLimit, to: &lines)
      } else {
        let count = units(of: item.quantity, limit: unitLimit)
        append(item, count: count, places: places, to: &lines) { _ in nil }
      }
    }
    return lines
  }

  /// nil where the item stays one line: too many units, or not whole ones.
  private static func units(of quantity: Decimal, limit: Int) -> Int? {
    guard let count = quantity.integer, (1...limit).contains(count) else { return nil }
    return count
  }

  /// A bundle's parts belong to the unit of the bundle that they were sold with, if its parts can be counted out evenly.
  private static func appendBundle(
    _ bundle: SoldItem, places: Int, unitLimit: Int, to lines: inout [LedgerLine]
  ) {
    let count = units(of: bundle.quantity, limit: unitLimit)
    let perUnit: [Int]? = count.flatMap { count in
      let parts = bundle.children.map { child in
        units(of: child.quantity, limit: unitLimit).flatMap { $0 % count == 0 ? $0 / count : nil }
      }
      return parts.contains(nil) ? nil : parts.compactMap { $0 }
    }
    let isTakenApart = perUnit != nil
    var parents: [Int] = []
    append(bundle, count: isTakenApart ? count : nil, places: places, to: &lines) { _ in nil }
    parents = lines.suffix(isTakenApart ? count ?? 1 : 1).map(\.number)
    for (index, child) in bundle.children.enumerated() {
      if let perUnit, let count {
        append(child, count: perUnit[index] * count, places: places, to: &lines) { parents[$0 / perUnit[index]] }
      } else {
        append(child, count: nil, places: places, to: &lines) { _ in parents[0] }
      }
    }
  }

  /// - Parameters:
  ///   - count: of lines; nil for one with the item's quantity.
  ///   - parent: of the line with that index among the item's.
  private static func append(
    _ item: SoldItem, count: Int?, places: Int, to lines: inout [LedgerLine], parent: (Int) -> Int?
  ) {
    let parts = Array(repeating: Decimal(1), count: count ?? 1)
    let amounts = item.amounts.spread(over: parts, places: places)
    let taxes = item.taxes.map { $0.amount.spread(over: parts, places: places) }
    for index in parts.indices {
      lines.append(
        LedgerLine(
          number: lines.count + 1, itemID: item.itemID, productID: item.productID, sku: item.sku, name: item.name,
          kind: item.kind,
          quantity: count == nil ? item.quantity : 1, amounts: amounts[index], originalPrice: item.originalPrice,
          discountPercent: item.discountPercent,
          taxes: zip(item.taxes, taxes).map { .init(type: $0.type, rate: $0.rate, amount: $1[index]) },
          parent: parent(index), imageURL: item.imageURL, isShippedTogether: item.isShippedTogether))
    }
  }
}
