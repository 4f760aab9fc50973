import Commerce

/// Units of a SKU in orders that the shop still counts as sold and has not shipped, on one website.
struct OpenUnits: Sendable, Equatable {
  var website: String
  /// Of orders that the OMS has.
  var acknowledged: Decimal
  /// Of orders that the OMS doesn't have yet.
  var unacknowledged: Decimal
}

/// What the shop is told for what the OMS says (magento-rules.md §4). The OMS's quantity is without the units of all orders that
/// it has.
enum ShopQuantity {
  /// What a quantity's column in Magento holds, DECIMAL(12, 4).
  static let largest: Decimal = 99_999_999

  /// - Parameter units: of the SKU, on all websites.
  static func value(_ quantity: Int64, _ units: [OpenUnits], _ route: PushRoute) -> Decimal {
    let oms = Decimal(Int(clamping: quantity))
    let value: Decimal =
      switch route {
      case .source(_, let websites):
        // The shop has reserved the units of all orders, and takes them from what its sources hold: those that the OMS has taken
        // off already are put back, lest they count twice. They leave the source when they are shipped.
        oms + units.filter { websites.contains($0.website) }.map(\.acknowledged).sum()
      case .stockItem:
        // The shop has taken the units of all orders off: setting the OMS's quantity would bring back those that the OMS doesn't
        // know of yet.
        oms - units.map(\.unacknowledged).sum()
      }
    return min(max(value, .zero), largest)
  }
}
