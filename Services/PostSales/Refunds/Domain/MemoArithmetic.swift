import Commerce

/// What Magento will make of a credit memo (magento-rules.md §3): to be known before it is made, since a memo can't be taken back.
struct MemoArithmetic {
  let books: ShopBooks
  /// A setting of the shop: amounts of shipping to refund are told with their tax.
  let shippingIncludesTax: Bool

  private var currencies: Currencies { books.order.currencies }

  /// What units and shipping come to, before adjustments and before gift cards and the like take their part.
  ///
  /// - Parameters:
  ///   - units: by item.
  ///   - shipping: what is told, in base currency.
  func natural(units: [Int64: Decimal], shipping: Decimal, invoice: ShopDocument?) -> Sides {
    let items = units.map { id, quantity -> Sides in
      guard let item = books.item(id) else { return .zero }
      return left(id).share(quantity, of: books.quantityLeft(item), currencies).total
    }
    return items.sum() + shippingPart(shipping, invoice: invoice).total + books.extraLeft
  }

  /// The amount to tell for shipping that is worth `gross`, in base currency. Never more than the order's own: where memos have a
  /// shipping of less than 0, more than that is left.
  ///
  /// - Parameter gross: with tax, in order currency.
  func shippingAmount(for gross: Decimal, invoice: ShopDocument?) -> Decimal {
    let left = shippingToldLeft(invoice)
    let most = min(left, told(books.order.shipping))
    guard gross > 0, most > 0 else { return 0 }
    let worth = books.shippingLeft.total.order
    if gross >= worth { return most }
    return min((left.scaled(by: gross, over: worth) ?? left).rounded(currencies.basePlaces), most)
  }

  private func left(_ item: Int64) -> ItemAmounts {
    func sum(_ documents: [ShopDocument]) -> ItemAmounts {
      documents.flatMap(\.lines).filter { $0.itemID == item }.map(\.amounts).reduce(ItemAmounts(), +)
    }
    return sum(books.invoices) - sum(books.memos)
  }

  private func told(_ amounts: ShippingAmounts) -> Decimal {
    amounts.amount.base + (shippingIncludesTax ? amounts.tax.base : 0)
  }

  /// Shipping is refunded through the invoice that holds it only.
  private func shippingToldLeft(_ invoice: ShopDocument?) -> Decimal {
    if let invoice, invoice.shipping.amount.base.isZero { return 0 }
    return max(told(books.shippingLeft), 0)
  }

  private func shippingPart(_ asked: Decimal, invoice: ShopDocument?) -> ShippingAmounts {
    let left = shippingToldLeft(invoice)
    if asked == left, invoice == nil || left > 0 { return books.shippingLeft }
    let whole = told(books.order.shipping)
    guard whole > 0, !asked.isZero else { return ShippingAmounts() }
    return books.order.shipping.part(min(asked / whole, 1), atMost: books.shippingLeft, currencies)
  }
}
