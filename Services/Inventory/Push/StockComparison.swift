import Commerce
import Storage

/// A SKU whose stock somebody has changed in the shop, as far as one look tells.
struct OddStock: Sendable {
  let told: ToldStock
  /// nil when the shop has none.
  let shown: ShownStock?

  var change: ChangedStock {
    ChangedStock(
      sku: told.row.sku, told: ShownStock(quantity: told.quantity, isInStock: told.isInStock).text,
      found: shown?.text ?? "nothing")
  }
}

/// Compares what the shop shows with what it was told.
struct StockComparison: Sendable {
  let client: CommerceClient
  let units: any OpenUnitsSource

  /// - Parameter rows: 1 000 at most.
  /// - Returns: those of which the shop shows neither what it was told nor what it would be told now: its own shipments, and
  ///   without sources its own sales, lead from the one to the other (magento-rules.md §4).
  func odd(_ rows: [ToldStock], _ route: PushRoute) async throws -> [OddStock] {
    let shown = try await ShownStock.read(rows.map(\.row.sku), by: route, client)
    let differing = rows.map { OddStock(told: $0, shown: shown[$0.row.sku]) }.filter { Self.differs($0, route) }
    if differing.isEmpty { return [] }
    let open = try await units.openUnits(of: differing.map(\.told.row.sku))
    return differing.filter { odd in
      let row = odd.told.row
      let quantity = ShopQuantity.value(row.quantity, open[row.sku] ?? [], route)
      let now = ToldStock(row: row, quantity: quantity, isInStock: quantity > .zero || row.unlimited)
      return Self.differs(OddStock(told: now, shown: odd.shown), route)
    }
  }

  private static func differs(_ odd: OddStock, _ route: PushRoute) -> Bool {
    switch route {
    case .source:
      return odd.shown != ShownStock(quantity: odd.told.quantity, isInStock: odd.told.isInStock)
    case .stockItem:
      // Checkouts take from it, also those that are not paid and that sales doesn't know: only more can't be the shop's own.
      guard let shown = odd.shown else { return false }
      return shown.quantity > odd.told.quantity
    }
  }
}
