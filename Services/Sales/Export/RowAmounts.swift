import Commerce
import Messages

/// What a row of an order costs, in the order's currency, discounts taken off.
struct RowAmounts: Equatable {
  var gross: Decimal
  var tax: Decimal
  /// Per cent.
  var taxRate: Decimal
  /// Taken off before `gross`.
  var discount: Decimal

  static let zero = RowAmounts(gross: 0, tax: 0, taxRate: 0, discount: 0)

  var net: Decimal { gross - tax }

  /// One amount per part. Each of them adds up exactly; what can't be divided is in the last parts.
  ///
  /// - Parameters:
  ///   - weights: one for each part, not negative.
  ///   - places: of the currency.
  func spread(over weights: [Decimal], places: Int) -> [RowAmounts] {
    let grosses = gross.spread(over: weights, places: places)
    let taxes = tax.spread(over: weights, places: places)
    let discounts = discount.spread(over: weights, places: places)
    return weights.indices.map {
      RowAmounts(gross: grosses[$0], tax: taxes[$0], taxRate: taxRate, discount: discounts[$0])
    }
  }

  /// Per cent, with two places; 0 where the amounts have no rate that makes sense, such as a tax on nothing.
  static func rate(tax: Decimal, net: Decimal) -> Decimal {
    guard !net.isZero, tax.magnitude <= net.magnitude * 10 else { return 0 }
    return (tax * 100 / net).rounded(2)
  }
}

extension RowAmounts {
  /// magento-rules.md §5: row_total + tax_amount + discount_tax_compensation_amount + weee − discount_amount.
  init(_ item: Magento.Commerce.V1.OrderItem) throws(ExportHold) {
    let number = NumberReader("item \(item.itemId)")
    let discount = try number(item.discountAmount, "discount_amount").magnitude
    tax = try number(item.taxAmount, "tax_amount")
    taxRate = try number(item.taxPercent, "tax_percent")
    let compensation = try number(item.discountTaxCompensationAmount, "discount_tax_compensation_amount")
    let weee = try number(item.weeeTaxAppliedRowAmount, "weee_tax_applied_row_amount")
    gross = try number(item.rowTotal, "row_total") + tax + compensation + weee - discount
    self.discount = discount
  }

  /// Shipping alike.
  init(shippingOf order: Magento.Commerce.V1.Order) throws(ExportHold) {
    let number = NumberReader("order")
    let discount = try number(order.shippingDiscountAmount, "shipping_discount_amount").magnitude
    tax = try number(order.shippingTaxAmount, "shipping_tax_amount")
    let amount = try number(order.shippingAmount, "shipping_amount")
    let compensation = try number(
      order.shippingDiscountTaxCompensationAmount, "shipping_discount_tax_compensation_amount")
    gross = amount + tax + compensation - discount
    self.discount = discount
    // The order does not say the rate.
    taxRate = Self.rate(tax: tax, net: gross - tax)
  }
}

/// Reads the numbers of one thing; absent ones are 0.
struct NumberReader {
  private let owner: String

  init(_ owner: String) { self.owner = owner }

  func callAsFunction(_ value: Google.Types.Decimal?, _ field: String) throws(ExportHold) -> Decimal {
    guard let value, !value.value.isEmpty else { return 0 }
    guard let number = Decimal(value) else {
      throw .unreadable(field: "\(owner): \(field)", reason: "\"\(value.value.prefix(40))\" is no amount")
    }
    return number
  }
}
