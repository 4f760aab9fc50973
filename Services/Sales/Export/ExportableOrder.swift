import Commerce
import Messages

/// What of the shop's set-up an order's export needs.
struct ShopView: Equatable, Sendable {
  var websiteCode: String
  var storeViewCode: String
  /// As in en_US.
  var locale: String
}

/// An order with its lines, ready for the OMS: every cent of it is in exactly one line.
struct ExportableOrder {
  let order: Magento.Commerce.V1.Order
  let lines: [LedgerLine]
  let channel: String
  let vatCountry: String?
  let locale: String
  let payment: Mapping.PaymentMethod
  /// Places of the currency.
  let places: Int
  let grandTotal: Decimal
  let mapping: Mapping

  /// - Parameter products: by the shop's product id.
  init(
    _ order: Magento.Commerce.V1.Order, products: [Int64: CatalogProduct], view: ShopView, mapping: Mapping,
    unitLimit: Int = LedgerLine.defaultUnitLimit
  ) throws(ExportHold) {
    try Self.checkUntouched(order)
    self.order = order
    self.mapping = mapping
    locale = view.locale
    let website = mapping.websites[view.websiteCode]
    guard let channel = mapping.storeViews[view.storeViewCode] ?? website?.channel else {
      throw .website(view.websiteCode)
    }
    self.channel = channel
    vatCountry = website?.vatCountry
    let method = order.payment?.method ?? ""
    guard let payment = mapping.payments[method] else { throw .paymentMethod(method) }
    self.payment = payment
    places = Currency.places(of: order.orderCurrencyCode)
    grandTotal = try NumberReader("order")(order.grandTotal, "grand_total")

    let items = try SoldItem.items(of: order, products: products, places: places)
    var lines = LedgerLine.lines(of: items, places: places, unitLimit: unitLimit)
    if let shipping = try Self.shipping(of: order, mapping, number: lines.count + 1) { lines.append(shipping) }
    try Self.appendGiftWrap(of: order, mapping, to: &lines)
    try Self.appendRest(of: order, grandTotal, mapping, places: places, to: &lines)
    self.lines = lines
  }

  /// The OMS takes whole orders only. One of which goods have left, or money has gone back, is finished where that was done: at the
  /// start of a connector, and after it has waited for long, such orders are there. What is paid for is no obstacle.
  private static func checkUntouched(_ order: Magento.Commerce.V1.Order) throws(ExportHold) {
    for item in order.items {
      let number = NumberReader("item \(item.itemId)")
      for (quantity, field, what) in [
        (item.qtyShipped, "qty_shipped", "shipped"), (item.qtyRefunded, "qty_refunded", "refunded"),
        (item.qtyCanceled, "qty_canceled", "cancelled"),
      ] {
        let quantity = try number(quantity, field)
        if quantity > 0 { throw .begun(sku: item.sku, what: "\(quantity) \(quantity == 1 ? "was" : "were") \(what)") }
      }
    }
  }

  /// The line that pays for sending the others; an order of virtual products has none.
  var shippingLine: LedgerLine? { lines.first { $0.kind == .shipping } }

  private static func shipping(
    of order: Magento.Commerce.V1.Order, _ mapping: Mapping, number: Int
  ) throws(ExportHold) -> LedgerLine? {
    guard !order.isVirtual else { return nil }
    let method = order.extensionAttributes?.shippingAssignments.first?.shipping?.method ?? ""
    guard let mapped = mapping.shipping[method] else { throw .shippingMethod(method) }
    var amounts = try RowAmounts(shippingOf: order)
    let taxes = try SoldItem.appliedTaxes(of: order, "shipping")[0] ?? []
    // The order itself does not say the rate.
    if taxes.count == 1 { amounts.taxRate = taxes[0].rate }
    return LedgerLine(
      number: number, sku: mapped.sku,
      name: order.shippingDescription.isEmpty ? mapped.name : order.shippingDescription,
      kind: .shipping, quantity: 1, amounts: amounts, originalPrice: amounts.gross + amounts.discount,
      taxes: taxes)
  }

  /// Gift wrapping of Adobe Commerce: for the order, for its items, and a printed card.
  private static func appendGiftWrap(
    of order: Magento.Commerce.V1.Order, _ mapping: Mapping, to lines: inout [LedgerLine]
  ) throws(ExportHold) {
    guard let extra = order.extensionAttributes else { return }
    let number = NumberReader("order")
    var amounts = RowAmounts.zero
    for (price, tax, field) in [
      (extra.gwPrice, extra.gwTaxAmount, "gw_price"), (extra.gwItemsPrice, extra.gwItemsTaxAmount, "gw_items_price"),
      (extra.gwCardPrice, extra.gwCardTaxAmount, "gw_card_price"),
    ] {
      let tax = try number(tax, "tax of \(field)")
      amounts.gross += try number(price, field) + tax
      amounts.tax += tax
    }
    guard !amounts.gross.isZero else { return }
    guard let sku = mapping.services["gift-wrap"] else {
      throw .giftWrap(amounts.gross, currency: order.orderCurrencyCode)
    }
    amounts.taxRate = RowAmounts.rate(tax: amounts.tax, net: amounts.net)
    lines.append(
      LedgerLine(
        number: lines.count + 1, sku: sku, name: "Gift wrapping", kind: .service, quantity: 1, amounts: amounts,
        originalPrice: amounts.gross))
  }

  /// magento-rules.md §5: the lines are the grand total and what was paid with gift cards, store credit and reward points. What
  /// is left over is a service, or the order waits: it never vanishes.
  private static func appendRest(
    of order: Magento.Commerce.V1.Order, _ grandTotal: Decimal, _ mapping: Mapping, places: Int,
    to lines: inout [LedgerLine]
  ) throws(ExportHold) {
    let number = NumberReader("order")
    let extra = order.extensionAttributes
    let paidOtherwise =
      try number(extra?.giftCardsAmount, "gift_cards_amount")
      + number(extra?.customerBalanceAmount, "customer_balance_amount")
      + number(extra?.rewardCurrencyAmount, "reward_currency_amount")
    let rest = grandTotal + paidOtherwise - lines.map(\.amounts.gross).sum()
    guard !rest.isZero else { return }
    if rest.rounded(places).isZero, let last = lines.indices.last(where: { !lines[$0].amounts.gross.isZero }) {
      // Rows hold four places, totals those of the currency.
      lines[last].amounts.gross += rest
      return
    }
    guard rest > 0, let sku = mapping.services["fee"] else {
      throw .unexplained(rest, currency: order.orderCurrencyCode)
    }
    lines.append(
      LedgerLine(
        number: lines.count + 1, sku: sku, name: "Fee", kind: .service, quantity: 1,
        amounts: RowAmounts(gross: rest, tax: 0, taxRate: 0, discount: 0), originalPrice: rest))
  }
}
