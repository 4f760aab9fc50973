import Commerce

/// An order of the shop, as far as refunds depend on it.
struct ShopOrder: Equatable, Sendable {
  var entityID: Int64
  var incrementID: String
  var state: String
  var storeID: Int64 = 0
  /// 0 of a guest.
  var customerID: Int64 = 0
  var currencies: Currencies
  var paymentMethod: String
  var paid = Sides.zero
  var refunded = Sides.zero
  /// What memos have kept back, in base currency.
  var adjustmentNegative: Decimal = 0
  var items: [ShopItem] = []
  var shipping = ShippingAmounts()
  /// Gift cards, store credit and reward points: what has been used of them for invoices, and what memos have given back. A memo
  /// gives them back before money.
  var tendersInvoiced = Sides.zero
  var tendersRefunded = Sides.zero
}

struct ShopItem: Equatable, Sendable {
  var id: Int64
  /// 0 of an item that stands for itself.
  var parentID: Int64 = 0
  var type: String = "simple"
  var sku: String = ""
  var isVirtual = false
  var ordered: Decimal
  var invoiced: Decimal = 0
  var shipped: Decimal = 0
  var refunded: Decimal = 0
  var canceled: Decimal = 0
  /// In order currency, to see who has the price: a parent or its children.
  var rowTotal: Decimal = 0
}

/// An invoice or a credit memo.
struct ShopDocument: Equatable, Sendable {
  struct Line: Equatable, Sendable {
    var itemID: Int64
    var quantity: Decimal
    var amounts = ItemAmounts()
  }

  var id: Int64
  /// Of a memo: the invoice that it was made through; 0 of an offline one.
  var invoiceID: Int64 = 0
  /// 3 is canceled, of both.
  var state: Int32 = 2
  /// Of an invoice: the gateway's capture; empty when no gateway has captured.
  var transactionID: String = ""
  var total: Sides
  /// Of an invoice, in base currency.
  var refunded: Decimal = 0
  var shipping = ShippingAmounts()
  var tenders = Sides.zero
  /// Of a memo: what was added, less what was kept back.
  var adjustment = Sides.zero
  var lines: [Line] = []
  var comments: [String] = []

  var isCanceled: Bool { state == 3 }

  /// Charges besides lines and shipping, such as a fee: what the total has that nothing else explains.
  var extra: Sides { total + tenders - lines.map(\.amounts.total).sum() - shipping.total - adjustment }

  func quantity(of item: Int64) -> Decimal { lines.filter { $0.itemID == item }.map(\.quantity).sum() }
}

/// An order with its invoices and credit memos: all that a shop knows about its money.
struct ShopBooks: Equatable, Sendable {
  var order: ShopOrder
  /// In the order of their ids.
  var invoices: [ShopDocument]
  var memos: [ShopDocument]

  init(order: ShopOrder, invoices: [ShopDocument], memos: [ShopDocument]) {
    self.order = order
    self.invoices = invoices.filter { !$0.isCanceled }.sorted { $0.id < $1.id }
    self.memos = memos.filter { !$0.isCanceled }.sorted { $0.id < $1.id }
  }

  /// Whether the shop's payment gateway took the money at checkout, so that it is what gives it back: an invoice that no gateway
  /// has captured names no transaction.
  var wasCapturedByGateway: Bool { invoices.contains { !$0.transactionID.isEmpty } }

  /// Money that can be refunded.
  var moneyLeft: Sides { order.paid - order.refunded }
  var tendersLeft: Sides { order.tendersInvoiced - order.tendersRefunded }

  /// What the next memo gives back of charges besides lines and shipping, whether it is asked to or not: all that is left.
  var extraLeft: Sides { invoices.map(\.extra).sum() - memos.map(\.extra).sum() }

  var shippingLeft: ShippingAmounts { order.shipping - memos.map(\.shipping).reduce(ShippingAmounts(), +) }

  /// How far refunds may be from what the OMS wants, in the order's currency: what can't be told in base currency, and what the
  /// sums of the order's rows, each rounded in both currencies, are apart already. 0 where the currencies are the same.
  var tolerance: Decimal {
    let currencies = order.currencies
    if currencies.tolerance.isZero { return 0 }
    func drift(_ sides: Sides) -> Decimal { (sides.order - currencies.converted(sides.base)).magnitude }
    return currencies.tolerance + max(drift(order.paid), drift(moneyLeft))
  }

  func item(_ id: Int64) -> ShopItem? { order.items.first { $0.id == id } }

  /// Whether another item stands for it in invoices and memos: the price decides (magento-rules.md §1).
  func isDummy(_ item: ShopItem) -> Bool {
    let children = order.items.filter { $0.parentID == item.id }
    if !children.isEmpty { return Self.haveThePrice(children, of: item) }
    guard item.parentID != 0, let parent = self.item(item.parentID) else { return false }
    return !Self.haveThePrice(order.items.filter { $0.parentID == parent.id }, of: parent)
  }

  /// Of a bundle with dynamic prices; a configurable product, and a bundle with a fixed price, have it themselves.
  private static func haveThePrice(_ children: [ShopItem], of parent: ShopItem) -> Bool {
    parent.type == "bundle" && children.contains { !$0.rowTotal.isZero }
  }

  /// The item whose quantity memos name for it.
  func priced(_ item: ShopItem) -> ShopItem {
    isDummy(item) && item.parentID != 0 ? self.item(item.parentID) ?? item : item
  }

  /// Items that a memo can name.
  var namedItems: [ShopItem] { order.items.filter { !isDummy($0) } }

  func quantityLeft(_ item: ShopItem) -> Decimal { max(item.invoiced - item.refunded, 0) }

  /// Units of an invoice that were not refunded through it.
  func quantityLeft(_ item: Int64, of invoice: ShopDocument) -> Decimal {
    let gone = memos.filter { $0.invoiceID == invoice.id }.map { $0.quantity(of: item) }.sum()
    return max(invoice.quantity(of: item) - gone, 0)
  }

  /// Money of an invoice that was not refunded through it, in base currency.
  func moneyLeft(of invoice: ShopDocument) -> Decimal { min(invoice.total.base - invoice.refunded, moneyLeft.base) }

  /// Whether money may still come in: units that were neither invoiced nor canceled.
  var canInvoice: Bool {
    !["complete", "closed", "canceled"].contains(order.state)
      && namedItems.contains { $0.ordered - $0.invoiced - $0.canceled > 0 }
  }
}
