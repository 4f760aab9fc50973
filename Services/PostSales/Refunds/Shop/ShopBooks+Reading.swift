import Commerce
import Messages

extension ShopOrder {
  /// As `GET /V1/orders/:id` answers it.
  init(_ value: JSONValue) throws(CommerceError) {
    let id = try ShopFields(value: value, owner: "order").integer("entity_id")
    let fields = ShopFields(value: value, owner: "order \(id)")
    let rate = try fields.rate()
    self.init(
      entityID: id, incrementID: fields.text("increment_id"), state: fields.text("state"),
      currencies: Currencies(
        order: fields.text("order_currency_code"), base: fields.text("base_currency_code"), rate: rate),
      paymentMethod: value["payment"].map { ShopFields(value: $0, owner: "payment").text("method") } ?? "")
    storeID = try fields.integer("store_id")
    customerID = try fields.integer("customer_is_guest") == 1 ? 0 : try fields.integer("customer_id")
    paid = try fields.sides("total_paid")
    refunded = try fields.sides("total_refunded")
    adjustmentNegative = try fields.decimal("base_adjustment_negative")
    shipping = ShippingAmounts(
      amount: try fields.sides("shipping_amount"), tax: try fields.sides("shipping_tax_amount"),
      compensation: try fields.sides(
        "shipping_discount_tax_compensation_amount", base: "base_shipping_discount_tax_compensation_amnt"),
      discount: try fields.sides("shipping_discount_amount").magnitude)
    if shipping.compensation.base.isZero {
      shipping.compensation.base = try fields.decimal("base_shipping_discount_tax_compensation_amount")
    }
    (tendersInvoiced, tendersRefunded) = try fields.tendersOfOrder()
    var ids: Set<Int64> = []
    for value in value["items"]?.elements ?? [] {
      let item = try ShopItem(value)
      guard ids.insert(item.id).inserted else {
        throw CommerceError(.unreadable, status: 200, request: fields.owner, "item \(item.id) is in it twice")
      }
      items.append(item)
    }
  }
}

extension ShopItem {
  fileprivate init(_ value: JSONValue) throws(CommerceError) {
    let id = try ShopFields(value: value, owner: "order item").integer("item_id")
    let fields = ShopFields(value: value, owner: "order item \(id)")
    self.init(
      id: id, parentID: try fields.integer("parent_item_id"), type: fields.text("product_type"),
      sku: fields.text("sku"), ordered: try fields.decimal("qty_ordered"),
      invoiced: try fields.decimal("qty_invoiced"), shipped: try fields.decimal("qty_shipped"),
      refunded: try fields.decimal("qty_refunded"),
      canceled: try fields.decimal("qty_canceled"), rowTotal: try fields.decimal("row_total"))
    isVirtual = try fields.integer("is_virtual") == 1
  }
}

extension ShopDocument {
  /// As `GET /V1/invoices` and `GET /V1/creditmemos` answer it.
  ///
  /// - Parameter kind: `invoice` or `credit memo`, for errors.
  init(_ value: JSONValue, kind: String) throws(CommerceError) {
    let id = try ShopFields(value: value, owner: kind).integer("entity_id")
    let fields = ShopFields(value: value, owner: "\(kind) \(id)")
    self.init(id: id, total: try fields.sides("grand_total"))
    invoiceID = try fields.integer("invoice_id")
    state = Int32(clamping: try fields.integer("state"))
    transactionID = fields.text("transaction_id")
    refunded = try fields.decimal("base_total_refunded")
    adjustment = try fields.sides("adjustment_positive") - fields.sides("adjustment_negative")
    for line in value["items"]?.elements ?? [] { lines.append(try Line(line)) }
    comments = (value["comments"]?.elements ?? []).compactMap { $0["comment"]?.string }
    tenders = try fields.tendersOfDocument()
    // The document's discount is that of its lines and of its shipping.
    let discount = try fields.sides("discount_amount").magnitude - lines.map(\.amounts.discount).sum()
    shipping = ShippingAmounts(
      amount: try fields.sides("shipping_amount"), tax: try fields.sides("shipping_tax_amount"),
      compensation: try fields.sides(
        "shipping_discount_tax_compensation_amount", base: "base_shipping_discount_tax_compensation_amnt"),
      discount: discount)
    if shipping.compensation.base.isZero {
      shipping.compensation.base = try fields.decimal("base_shipping_discount_tax_compensation_amount")
    }
  }
}

extension ShopDocument.Line {
  fileprivate init(_ value: JSONValue) throws(CommerceError) {
    let fields = ShopFields(value: value, owner: "a document's line")
    self.init(itemID: try fields.integer("order_item_id"), quantity: try fields.decimal("qty"))
    amounts = ItemAmounts(
      row: try fields.sides("row_total"), tax: try fields.sides("tax_amount"),
      compensation: try fields.sides("discount_tax_compensation_amount"),
      weee: try fields.sides("weee_tax_applied_row_amount", base: "base_weee_tax_applied_row_amnt"),
      discount: try fields.sides("discount_amount").magnitude)
  }
}

extension Sides {
  /// Magento writes discounts with either sign.
  fileprivate var magnitude: Sides { Sides(order: order.magnitude, base: base.magnitude) }
}

extension ShopFields {
  fileprivate func rate() throws(CommerceError) -> Decimal {
    guard let text = value["base_to_order_rate"]?.scalar else { return 1 }
    guard let rate = Decimal(text) else {
      throw CommerceError(.unreadable, status: 200, request: owner, "base_to_order_rate \"\(text)\" is no number")
    }
    if rate <= 0 { return 1 }
    guard Currencies.rates.contains(rate) else {
      throw CommerceError(
        .unreadable, status: 200, request: owner,
        "base_to_order_rate \(rate) is none of \(Currencies.rates.lowerBound) to \(Currencies.rates.upperBound)")
    }
    return rate
  }

  /// What pays for an order besides its payment method, with the columns' names as Magento has abbreviated them.
  private static let tenders: [(amount: String, invoiced: [String], refunded: [String])] = [
    ("gift_cards_amount", ["gift_cards_invoiced"], ["gift_cards_refunded"]),
    ("customer_balance_amount", ["customer_balance_invoiced"], ["customer_balance_refunded"]),
    (
      "reward_currency_amount", ["rwrd_currency_amount_invoiced", "base_rwrd_crrncy_amt_invoiced"],
      ["rwrd_crrncy_amnt_refunded", "base_rwrd_crrncy_amnt_refnded"]
    ),
  ]

  fileprivate func tendersOfOrder() throws(CommerceError) -> (invoiced: Sides, refunded: Sides) {
    var (invoiced, refunded) = (Sides.zero, Sides.zero)
    for tender in Self.tenders {
      invoiced += try extended(tender.invoiced[0], base: tender.invoiced.count > 1 ? tender.invoiced[1] : nil)
      refunded += try extended(tender.refunded[0], base: tender.refunded.count > 1 ? tender.refunded[1] : nil)
    }
    return (invoiced, refunded)
  }

  fileprivate func tendersOfDocument() throws(CommerceError) -> Sides {
    var sum = Sides.zero
    for tender in Self.tenders { sum += try extended(tender.amount) }
    return sum
  }
}
