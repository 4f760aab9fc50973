import Commerce

/// An amount in both currencies of an order: the customer's, in which the OMS speaks, and the shop's base currency, in which it
/// wants to be told what to refund (magento-rules.md §3).
struct Sides: Equatable, Sendable {
  var order: Decimal
  var base: Decimal

  static let zero = Sides(order: 0, base: 0)

  static func + (left: Sides, right: Sides) -> Sides {
    Sides(order: left.order + right.order, base: left.base + right.base)
  }
  static func - (left: Sides, right: Sides) -> Sides {
    Sides(order: left.order - right.order, base: left.base - right.base)
  }
  static func += (left: inout Sides, right: Sides) { left = left + right }
  static func -= (left: inout Sides, right: Sides) { left = left - right }
}

extension Sequence<Sides> {
  func sum() -> Sides { reduce(.zero, +) }
}

/// The two currencies of an order and how one becomes the other.
struct Currencies: Equatable, Sendable {
  let order: String
  let base: String
  /// From base to order currency.
  let rate: Decimal
  let orderPlaces: Int
  let basePlaces: Int
  /// The smallest amounts.
  let orderUnit: Decimal
  let baseUnit: Decimal

  /// Rates of real currencies: more than 10⁵ of the cheapest are one of the dearest. What is beyond takes sums out of what a
  /// ``Decimal`` holds.
  static let rates = (Decimal(1) / 1_000_000)...Decimal(1_000_000)

  /// - Parameter rate: one of ``rates``.
  init(order: String, base: String, rate: Decimal) {
    self.order = order
    self.base = base
    self.rate = rate
    orderPlaces = Currency.places(of: order)
    basePlaces = Currency.places(of: base)
    orderUnit = Self.unit(orderPlaces)
    baseUnit = Self.unit(basePlaces)
  }

  /// An amount of base currency as Magento converts it.
  func converted(_ base: Decimal) -> Decimal { (base * rate).rounded(orderPlaces) }

  /// What can't be told in the shop's base currency. Where its smallest unit is worth several of the order's, amounts in between
  /// don't exist there; and as Magento rounds each row in both currencies, the rest of an order may be a smallest unit more, or
  /// less, in one of them. 0 where they are the same.
  var tolerance: Decimal {
    if order == base && rate == 1 { return 0 }
    let step = baseUnit * rate
    return step > orderUnit ? (step + orderUnit).roundedDown(orderPlaces) : orderUnit
  }

  private static func unit(_ places: Int) -> Decimal { (0..<places).reduce(Decimal(1)) { unit, _ in unit / 10 } }
}
