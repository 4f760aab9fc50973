import Commerce

extension ShopBooks {
  /// What all amounts of an order and of its documents may come to, whatever their signs, and in each currency; likewise its
  /// quantities. Each alone is held to `Decimal.limit`; with this no figure that a refund calculates from them is too large.
  static let totalLimit = Decimal.limit * 100

  /// What has been paid, and what has been refunded, may come to, with gift cards and the like: sums of these are kept, and what is
  /// kept has to be read again.
  static let moneyLimit = Decimal.limit

  /// The same books, once it is known that they can be calculated with.
  ///
  /// - Throws: `CommerceError` of kind unreadable when they come to more than ``totalLimit`` or ``moneyLimit``.
  func checked() throws(CommerceError) -> ShopBooks {
    let sums: [(what: String, sum: Decimal, limit: Decimal)] = [
      ("amounts in \(order.currencies.order)", amounts.map(\.order.magnitude).sum(), Self.totalLimit),
      ("amounts in \(order.currencies.base)", amounts.map(\.base.magnitude).sum(), Self.totalLimit),
      ("quantities", quantities.map(\.magnitude).sum(), Self.totalLimit),
      ("payments and refunds in \(order.currencies.order)", money.map(\.order.magnitude).sum(), Self.moneyLimit),
      ("payments and refunds in \(order.currencies.base)", money.map(\.base.magnitude).sum(), Self.moneyLimit),
    ]
    for (what, sum, limit) in sums where sum > limit {
      throw CommerceError(
        .unreadable, status: 200, request: "order \(order.incrementID) and its documents",
        "their \(what) come to \(sum), more than \(limit): no refund is calculated from such figures")
    }
    return self
  }

  private var money: [Sides] {
    [order.paid, order.refunded, order.tendersInvoiced, order.tendersRefunded] + memos.map(\.total)
  }

  private var amounts: [Sides] {
    let ofOrder =
      [order.paid, order.refunded, Sides(order: 0, base: order.adjustmentNegative), order.tendersInvoiced]
      + [order.tendersRefunded] + order.shipping.parts
    return (invoices + memos).reduce(into: ofOrder) { all, document in
      all += [document.total, Sides(order: 0, base: document.refunded), document.tenders, document.adjustment]
      all += document.shipping.parts
      for line in document.lines { all += line.amounts.parts }
    }
  }

  private var quantities: [Decimal] {
    order.items.flatMap { [$0.ordered, $0.invoiced, $0.shipped, $0.refunded, $0.canceled] }
      + (invoices + memos).flatMap(\.lines).map(\.quantity)
  }
}

extension ShippingAmounts {
  fileprivate var parts: [Sides] { [amount, tax, compensation, discount] }
}

extension ItemAmounts {
  fileprivate var parts: [Sides] { [row, tax, compensation, weee, discount] }
}
