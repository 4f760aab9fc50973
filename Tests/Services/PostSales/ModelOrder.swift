@testable import Commerce
@testable import PostSales

/// A small Magento: what an order's invoices and credit memos come to, and what the shop refuses (magento-rules.md §1 and §3).
/// Written from the rules, apart from the code that predicts them.
struct ModelOrder {
  /// Row, tax, compensation, fixed product tax, discount; the last one is taken off.
  typealias Parts = [Sides]

  struct Item {
    var id: Int64
    var sku: String
    var quantity: Decimal
    var parts: Parts
    var invoicedQuantity: Decimal = 0
    var invoiced = Parts(repeating: .zero, count: 5)
    var refundedQuantity: Decimal = 0
    var refunded = Parts(repeating: .zero, count: 5)
  }

  var entityID: Int64 = 7
  var incrementID = "100000007"
  var currencies: Currencies
  var method = "checkmo"
  var customerID: Int64 = 3
  var items: [Item] = []
  /// Amount, tax, compensation, discount.
  var shipping = Parts(repeating: .zero, count: 4)
  var shippingRefunded = Parts(repeating: .zero, count: 4)
  /// A fee that the first invoice and the first memo take along.
  var extra = Sides.zero
  var extraInvoiced = Sides.zero
  var extraRefunded = Sides.zero
  /// Gift cards.
  var tender = Sides.zero
  var tenderInvoiced = Sides.zero
  var tenderRefunded = Sides.zero
  var paid = Sides.zero
  var refunded = Sides.zero
  var keptBack: Decimal = 0
  var invoices: [ShopDocument] = []
  var memos: [ShopDocument] = []
  /// As 2.2 does: a memo without units needs refundable shipping.
  var isOld = false

  struct Refusal: Error { let message: String }

  // MARK: What it is

  var state: String {
    if canInvoice { return "processing" }
    return canRefund || paid == .zero ? "complete" : "closed"
  }

  var canInvoice: Bool { items.contains { $0.invoicedQuantity < $0.quantity } }

  /// An order whose rest equals what was kept back takes no more memos: Magento thinks it a fee.
  var canRefund: Bool {
    let left = paid.base - refunded.base
    return !left.isZero && left != keptBack
  }

  var books: ShopBooks {
    var order = ShopOrder(
      entityID: entityID, incrementID: incrementID, state: state, currencies: currencies, paymentMethod: method)
    order.customerID = customerID
    order.paid = paid
    order.refunded = refunded
    order.adjustmentNegative = keptBack
    order.items = items.map {
      ShopItem(
        id: $0.id, sku: $0.sku, ordered: $0.quantity, invoiced: $0.invoicedQuantity, refunded: $0.refundedQuantity,
        rowTotal: $0.parts[0].order)
    }
    order.shipping = Self.shipping(shipping)
    order.tendersInvoiced = tenderInvoiced
    order.tendersRefunded = tenderRefunded
    return ShopBooks(order: order, invoices: invoices, memos: memos)
  }

  static func total(_ parts: Parts) -> Sides { parts.dropLast().sum() - (parts.last ?? .zero) }

  private static func shipping(_ parts: Parts) -> ShippingAmounts {
    ShippingAmounts(amount: parts[0], tax: parts[1], compensation: parts[2], discount: parts[3])
  }

  private static func amounts(_ parts: Parts) -> ItemAmounts {
    ItemAmounts(row: parts[0], tax: parts[1], compensation: parts[2], weee: parts[3], discount: parts[4])
  }

  // MARK: What it does

  /// Invoices units, and with the first ones all shipping and charges.
  mutating func invoice(_ quantities: [Int64: Decimal], isCaptured: Bool) {
    let isFirst = invoices.isEmpty
    var document = ShopDocument(id: Int64(invoices.count + 1), total: .zero)
    for index in items.indices {
      let quantity = quantities[items[index].id] ?? 0
      guard quantity > 0 else { continue }
      let parts = share(
        items[index].parts, items[index].invoiced, quantity, of: items[index].quantity - items[index].invoicedQuantity)
      for part in parts.indices { items[index].invoiced[part] += parts[part] }
      items[index].invoicedQuantity += quantity
      document.lines.append(.init(itemID: items[index].id, quantity: quantity, amounts: Self.amounts(parts)))
      document.total += Self.total(parts)
    }
    if isFirst {
      document.shipping = Self.shipping(shipping)
      document.total += Self.total(shipping) + extra
      extraInvoiced = extra
    }
    let used = Sides(
      order: min(tender.order - tenderInvoiced.order, document.total.order),
      base: min(tender.base - tenderInvoiced.base, document.total.base))
    tenderInvoiced += used
    document.tenders = used
    document.total -= used
    document.transactionID = isCaptured ? "capture-\(document.id)" : ""
    paid += document.total
    invoices.append(document)
  }

  /// Makes a credit memo as the REST routes do.
  ///
  /// - Returns: its id.
  mutating func refund(_ request: MemoRequest, mark: String) throws -> Int64 {
    guard canRefund else { throw Refusal(message: "The order does not allow a creditmemo to be created.") }
    let through = invoices.firstIndex { $0.id == request.invoiceID }
    if let through, invoices[through].transactionID.isEmpty {
      throw Refusal(message: "We can't create creditmemo for the invoice.")
    }
    guard !request.items.isEmpty else { throw Refusal(message: "everything would be refunded") }
    var memo = ShopDocument(id: Int64(memos.count + 1), total: .zero)
    memo.invoiceID = request.invoiceID ?? 0
    memo.comments = [mark]
    var booked: [(index: Int, quantity: Decimal, parts: Parts)] = []
    for asked in request.items {
      guard let index = items.firstIndex(where: { $0.id == asked.id }) else { throw Refusal(message: "unknown item") }
      let left = items[index].invoicedQuantity - items[index].refundedQuantity
      var quantity = asked.quantity
      if let through { quantity = min(quantity, unitsLeft(of: invoices[through], item: asked.id)) }
      guard quantity <= left else { throw Refusal(message: "The quantity to creditmemo must not be greater") }
      let parts = share(items[index].invoiced, items[index].refunded, quantity, of: left)
      booked.append((index, quantity, parts))
      memo.lines.append(.init(itemID: asked.id, quantity: quantity, amounts: Self.amounts(parts)))
      memo.total += Self.total(parts)
    }
    let shippingParts = try shippingParts(request.shipping, through)
    let charges = extraInvoiced - extraRefunded
    memo.shipping = Self.shipping(shippingParts)
    memo.adjustment = both(request.positive) - both(request.negative)
    memo.total += Self.total(shippingParts) + charges + memo.adjustment
    let back = Sides(
      order: max(min(tenderInvoiced.order - tenderRefunded.order, memo.total.order), 0),
      base: max(min(tenderInvoiced.base - tenderRefunded.base, memo.total.base), 0))
    memo.tenders = back
    memo.total -= back
    guard memo.total.order > 0 else { throw Refusal(message: "The credit memo's total must be positive.") }
    if isOld, request.items.allSatisfy({ $0.quantity.isZero }), shipping[0].order == shippingRefunded[0].order {
      throw Refusal(message: "You can't create a creditmemo without products.")
    }
    var most = paid.base - refunded.base
    if let through { most = min(most, invoices[through].total.base - invoices[through].refunded) }
    guard memo.total.base <= most else {
      throw Refusal(message: "The most money available to refund is \(most), not \(memo.total.base).")
    }
    for (index, quantity, parts) in booked {
      items[index].refundedQuantity += quantity
      for part in parts.indices { items[index].refunded[part] += parts[part] }
    }
    for part in shippingParts.indices { shippingRefunded[part] += shippingParts[part] }
    extraRefunded += charges
    tenderRefunded += back
    keptBack += request.negative
    refunded += memo.total
    if let through { invoices[through].refunded += memo.total.base }
    memos.append(memo)
    return memo.id
  }

  // MARK: -

  private func unitsLeft(of invoice: ShopDocument, item: Int64) -> Decimal {
    let gone = memos.filter { $0.invoiceID == invoice.id }.flatMap(\.lines).filter { $0.itemID == item }
    return invoice.lines.filter { $0.itemID == item }.map(\.quantity).sum() - gone.map(\.quantity).sum()
  }

  private func share(_ whole: Parts, _ done: Parts, _ quantity: Decimal, of remaining: Decimal) -> Parts {
    zip(whole, done).map { whole, done in
      let left = whole - done
      if quantity.isZero { return .zero }
      if quantity == remaining { return left }
      return Sides(
        order: (left.order * quantity / remaining).rounded(currencies.orderPlaces),
        base: (left.base * quantity / remaining).rounded(currencies.basePlaces))
    }
  }

  private func shippingParts(_ asked: Decimal, _ invoice: Int?) throws -> Parts {
    let isElsewhere = invoice.map { invoices[$0].shipping.amount.base.isZero } ?? false
    let left = isElsewhere ? 0 : shipping[0].base - shippingRefunded[0].base
    guard asked <= left else { throw Refusal(message: "Maximum shipping amount allowed to refund is: \(left)") }
    let rest = zip(shipping, shippingRefunded).map { $0 - $1 }
    if asked == left, !isElsewhere { return rest }
    guard !shipping[0].base.isZero, !asked.isZero else { return Parts(repeating: .zero, count: 4) }
    let ratio = asked / shipping[0].base
    return zip(shipping, rest).map { whole, rest in
      Sides(
        order: min((whole.order * ratio).rounded(currencies.orderPlaces), rest.order),
        base: min((whole.base * ratio).rounded(currencies.basePlaces), rest.base))
    }
  }

  private func both(_ base: Decimal) -> Sides { Sides(order: currencies.converted(base), base: base) }
}
