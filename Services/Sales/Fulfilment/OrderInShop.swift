import Commerce
import Messages

/// An order as it is in the shop now, with what was made from it.
struct OrderInShop: Sendable {
  /// Magento's order states, of which the rules speak.
  let state: String
  let status: String
  let entityID: Int64
  let incrementID: String
  let items: [Item]
  let totalPaid: Decimal
  /// An administrator has edited it: another order has taken its place, and the OMS was asked to cancel this one.
  var isReplaced = false
  let invoices: [Document]
  let shipments: [Document]
  let creditMemos: [Document]
  /// Of kind capture.
  let captures: [String]

  struct Item: Equatable, Sendable {
    let id: Int64
    let parentID: Int64?
    let productType: String
    let sku: String
    let isVirtual: Bool
    let price: Decimal
    let ordered: Decimal
    let invoiced: Decimal
    let shipped: Decimal
    let cancelled: Decimal
    let refunded: Decimal
  }

  /// An invoice, a shipment or a credit memo.
  struct Document: Equatable, Sendable {
    let entityID: Int64
    let incrementID: String
    /// nanoseconds since 1970; 0 when it is not said.
    let createdAt: Int64
    let quantities: [Int64: Decimal]
    let comments: [String]
    /// Of an invoice: 1 open, 2 paid, 3 canceled.
    let state: Int32
    let grandTotal: Decimal
    /// Of a shipment: the numbers of its tracks.
    var tracks: [String] = []

    func isMarked(_ marker: String) -> Bool { comments.contains(marker) }
  }

  func item(_ id: Int64) -> Item? { items.first { $0.id == id } }
  func children(of id: Int64) -> [Item] { items.filter { $0.parentID == id } }

  /// The bundle that an item is a part of.
  func bundle(of item: Item) -> Item? {
    guard let parent = item.parentID.flatMap({ self.item($0) }), parent.productType == "bundle" else { return nil }
    return parent
  }

  /// Whether a bundle has its price itself rather than in its parts: then it is what invoices and credit memos name
  /// (magento-rules.md §1, "Price decides"). Where nothing has a price it makes no difference.
  func hasFixedPrice(_ bundle: Item) -> Bool {
    bundle.price > 0 && children(of: bundle.id).allSatisfy { $0.price.isZero }
  }

  /// Invoices are refused otherwise (magento-rules.md §1); so are shipments, but for complete ones (§2).
  var isHeld: Bool { state == "holded" || state == "payment_review" }
  var isOver: Bool { ["canceled", "complete", "closed"].contains(state) }
}

extension OrderInShop.Item {
  /// magento-rules.md §1.
  var toInvoice: Decimal { max(ordered - invoiced - cancelled, 0) }
}

extension OrderInShop {
  /// - Throws: `CommerceError` of kind unreadable when an amount is none.
  init(
    _ order: Magento.Commerce.V1.Order, invoices: [Magento.Commerce.V1.Invoice],
    shipments: [Magento.Commerce.V1.ShipmentDocument], creditMemos: [Magento.Commerce.V1.Creditmemo],
    transactions: [Magento.Commerce.V1.Transaction]
  ) throws(CommerceError) {
    let number = ShopNumber("order \(order.incrementId)")
    state = order.state
    status = order.status
    entityID = order.entityId
    incrementID = order.incrementId
    var items: [Item] = []
    var ids: Set<Int64> = []
    for item in order.items {
      guard ids.insert(item.itemId).inserted else { throw number.unreadable("item \(item.itemId) is in it twice") }
      items.append(
        Item(
          id: item.itemId, parentID: item.parentItemId == 0 ? nil : item.parentItemId, productType: item.productType,
          sku: item.sku, isVirtual: item.isVirtual, price: try number(item.price),
          ordered: try number(item.qtyOrdered), invoiced: try number(item.qtyInvoiced),
          shipped: try number(item.qtyShipped), cancelled: try number(item.qtyCanceled),
          refunded: try number(item.qtyRefunded)))
    }
    self.items = items
    totalPaid = try number(order.totalPaid)
    isReplaced = !order.relationChildRealId.isEmpty
    var documents: [Document] = []
    for invoice in invoices {
      documents.append(
        Document(
          entityID: invoice.entityId, incrementID: invoice.incrementId, createdAt: Self.time(invoice.createdAt),
          quantities: try number(invoice.items), comments: invoice.comments.map(\.comment), state: invoice.state,
          grandTotal: try number(invoice.grandTotal)))
    }
    self.invoices = documents
    documents = []
    for shipment in shipments {
      documents.append(
        Document(
          entityID: shipment.entityId, incrementID: shipment.incrementId, createdAt: Self.time(shipment.createdAt),
          quantities: try number(shipment.items), comments: shipment.comments.map(\.comment), state: 0, grandTotal: 0,
          tracks: shipment.tracks.map(\.trackNumber)))
    }
    self.shipments = documents
    documents = []
    for memo in creditMemos {
      documents.append(
        Document(
          entityID: memo.entityId, incrementID: memo.incrementId, createdAt: Self.time(memo.createdAt),
          quantities: try number(memo.items), comments: memo.comments.map(\.comment), state: memo.state,
          grandTotal: try number(memo.grandTotal)))
    }
    self.creditMemos = documents
    captures = transactions.filter { $0.txnType == "capture" }.map(\.txnId)
  }

  private static func time(_ text: String) -> Int64 {
    guard let seconds = ShopTime.seconds(text) else { return 0 }
    let (nanoseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? 0 : nanoseconds
  }
}

/// Reads the shop's numbers; absent ones are 0.
private struct ShopNumber {
  let owner: String

  init(_ owner: String) { self.owner = owner }

  func callAsFunction(_ value: Google.Types.Decimal?) throws(CommerceError) -> Decimal {
    guard let value, !value.value.isEmpty else { return 0 }
    guard let number = Decimal(value) else { throw unreadable("\"\(value.value.prefix(40))\" is no number") }
    return number
  }

  func unreadable(_ reason: String) -> CommerceError {
    CommerceError(.unreadable, status: 200, request: "the shop's \(owner)", reason)
  }

  func callAsFunction(_ lines: [Magento.Commerce.V1.DocumentLine]) throws(CommerceError) -> [Int64: Decimal] {
    var sums: [Int64: Decimal] = [:]
    for line in lines { sums[line.orderItemId, default: 0] += try self(line.qty) }
    return sums
  }
}
