import Commerce

/// What some units of an order item come to, in the parts that Magento keeps apart: each is rounded by itself.
struct ItemAmounts: Equatable, Sendable {
  var row = Sides.zero
  var tax = Sides.zero
  /// The tax that a discount on a price with tax has saved.
  var compensation = Sides.zero
  /// Fixed product taxes.
  var weee = Sides.zero
  var discount = Sides.zero

  var total: Sides { row + tax + compensation + weee - discount }

  static func + (left: ItemAmounts, right: ItemAmounts) -> ItemAmounts { left.combined(right, +) }
  static func - (left: ItemAmounts, right: ItemAmounts) -> ItemAmounts { left.combined(right, -) }

  /// The part of what is left that so many of the remaining units get: 1.00 over 3 is .33 .34 .33 (magento-rules.md §3).
  ///
  /// - Parameter quantity: from 0 to as many as remain; more are taken for all.
  func share(_ quantity: Decimal, of remaining: Decimal, _ currencies: Currencies) -> ItemAmounts {
    if quantity.isZero { return ItemAmounts() }
    if quantity >= remaining { return self }
    return mapped { amount in
      // A part of something is always there.
      Sides(
        order: (amount.order.scaled(by: quantity, over: remaining) ?? amount.order).rounded(currencies.orderPlaces),
        base: (amount.base.scaled(by: quantity, over: remaining) ?? amount.base).rounded(currencies.basePlaces))
    }
  }

  private func mapped(_ change: (Sides) -> Sides) -> ItemAmounts {
    ItemAmounts(
      row: change(row), tax: change(tax), compensation: change(compensation), weee: change(weee),
      discount: change(discount))
  }

  private func combined(_ other: ItemAmounts, _ operation: (Sides, Sides) -> Sides) -> ItemAmounts {
    ItemAmounts(
      row: operation(row, other.row), tax: operation(tax, other.tax),
      compensation: operation(compensation, other.compensation), weee: operation(weee, other.weee),
      discount: operation(discount, other.discount))
  }
}

/// Shipping, in the same way.
struct ShippingAmounts: Equatable, Sendable {
  var amount = Sides.zero
  var tax = Sides.zero
  var compensation = Sides.zero
  var discount = Sides.zero

  var total: Sides { amount + tax + compensation - discount }

  static func + (left: ShippingAmounts, right: ShippingAmounts) -> ShippingAmounts {
    ShippingAmounts(
      amount: left.amount + right.amount, tax: left.tax + right.tax,
      compensation: left.compensation + right.compensation, discount: left.discount + right.discount)
  }

  static func - (left: ShippingAmounts, right: ShippingAmounts) -> ShippingAmounts {
    ShippingAmounts(
      amount: left.amount - right.amount, tax: left.tax - right.tax,
      compensation: left.compensation - right.compensation, discount: left.discount - right.discount)
  }

  /// That part of the whole, at most what is left.
  ///
  /// - Parameter ratio: from 0 to 1.
  func part(_ ratio: Decimal, atMost left: ShippingAmounts, _ currencies: Currencies) -> ShippingAmounts {
    func part(_ whole: Sides, _ left: Sides) -> Sides {
      Sides(
        order: min((whole.order * ratio).rounded(currencies.orderPlaces), left.order),
        base: min((whole.base * ratio).rounded(currencies.basePlaces), left.base))
    }
    return ShippingAmounts(
      amount: part(amount, left.amount), tax: part(tax, left.tax),
      compensation: part(compensation, left.compensation), discount: part(discount, left.discount))
  }
}
