import Commerce

@testable import Sales

/// Magento's rules about quantities of one order, as magento-rules.md §1–§3 has them, without the rest of a shop: what it would
/// refuse throws.
struct ModelShop {
  struct Refused: Error, CustomStringConvertible {
    let description: String
  }

  struct Item {
    var id: Int64
    var parent: Int64?
    var type: String
    var isVirtual = false
    var price: Decimal = 10
    var ordered: Decimal
    var invoiced: Decimal = 0
    var shipped: Decimal = 0
    var cancelled: Decimal = 0
    /// Of a bundle.
    var shipsSeparately = false
    var hasFixedPrice = false
    /// Of a bundle's part: units in one bundle.
    var perParent: Decimal = 1
  }

  var items: [Item] = []
  var state = "new"
  var invoices: [OrderInShop.Document] = []
  var shipments: [OrderInShop.Document] = []
  var captures: [String] = []
  var comments: [String] = []
  var status = "pending"

  subscript(id: Int64) -> Item {
    get { items.first { $0.id == id } ?? Item(id: 0, parent: nil, type: "", ordered: 0) }
    set { if let index = items.firstIndex(where: { $0.id == id }) { items[index] = newValue } }
  }

  private func parent(of item: Item) -> Item? { item.parent.map { self[$0] } }
  private func children(of item: Item) -> [Item] { items.filter { $0.parent == item.id } }

  private func isDummy(_ item: Item) -> Bool {
    if let parent = parent(of: item) { return parent.type != "bundle" || parent.hasFixedPrice }
    return item.type == "bundle" && !item.hasFixedPrice
  }

  private func isShippingDummy(_ item: Item) -> Bool {
    if let parent = parent(of: item) { return parent.type != "bundle" || !parent.shipsSeparately }
    return item.type == "bundle" && item.shipsSeparately
  }

  func toInvoice(_ item: Item) -> Decimal {
    isDummy(item) ? 0 : max(item.ordered - item.invoiced - item.cancelled, 0)
  }

  func toShip(_ item: Item) -> Decimal {
    isShippingDummy(item) || item.isVirtual ? 0 : max(item.ordered - item.shipped - item.cancelled, 0)
  }

  var canInvoice: Bool { !isOver && items.contains { toInvoice($0) > 0 } }
  var canShip: Bool { state != "canceled" && items.contains { toShip($0) > 0 } }
  private var isOver: Bool { ["canceled", "complete", "closed"].contains(state) }

  mutating func invoiceEverything() throws {
    let all = items.filter { toInvoice($0) > 0 }.map { ($0.id, toInvoice($0)) }
    try invoice(Dictionary(all) { first, _ in first }, marker: "at checkout", capture: true)
  }

  mutating func invoice(_ quantities: [Int64: Decimal], marker: String, capture: Bool) throws {
    if isOver { throw Refused(description: "invoice in state \(state)") }
    if quantities.isEmpty { throw Refused(description: "an invoice of nothing would be one of everything") }
    for (id, quantity) in quantities {
      let item = self[id]
      if isDummy(item) { throw Refused(description: "invoice names the side without a price, item \(id)") }
      if quantity <= 0 || quantity > toInvoice(item) {
        throw Refused(description: "invoice of \(quantity) of item \(id), \(toInvoice(item)) are left")
      }
    }
    for (id, quantity) in quantities { self[id].invoiced += quantity }
    if capture { captures.append(marker) }
    invoices.append(
      .init(
        entityID: Int64(invoices.count + 1), incrementID: "", createdAt: 0, quantities: quantities,
        comments: [marker], state: 2, grandTotal: 0))
    settle()
  }

  mutating func ship(_ quantities: [Int64: Decimal], marker: String) throws {
    if state == "canceled" { throw Refused(description: "shipment of a canceled order") }
    if quantities.isEmpty { throw Refused(description: "a shipment of nothing would be one of everything") }
    for (id, quantity) in quantities {
      let item = self[id]
      if quantity <= 0 || quantity > toShip(item) {
        throw Refused(description: "shipment of \(quantity) of item \(id), \(toShip(item)) are left")
      }
    }
    for (id, quantity) in quantities {
      self[id].shipped += quantity
      for child in children(of: self[id]) where !child.isVirtual {
        self[child.id].shipped += quantity * child.perParent
      }
    }
    shipments.append(
      .init(
        entityID: Int64(shipments.count + 1), incrementID: "", createdAt: 0, quantities: quantities,
        comments: [marker], state: 0, grandTotal: 0))
    settle()
  }

  mutating func cancel() throws {
    guard canInvoice else { throw Refused(description: "cancellation in state \(state)") }
    let left = items.map { item -> Decimal in
      let invoice = max(item.ordered - item.invoiced - item.cancelled, 0)
      let ship = max(item.ordered - item.shipped - item.cancelled, 0)
      return item.isVirtual ? invoice : min(invoice, ship)
    }
    for index in items.indices { items[index].cancelled += left[index] }
    state = invoices.isEmpty ? "canceled" : canShip ? "processing" : "complete"
    settle()
  }

  private mutating func settle() {
    if state == "canceled" || canInvoice {
      if state == "new" { state = "processing" }
      return
    }
    if !canShip { state = "complete" } else if state == "new" { state = "processing" }
  }

  var order: OrderInShop {
    OrderInShop(
      state: state, status: status, entityID: 7, incrementID: "7",
      items: items.map {
        .init(
          id: $0.id, parentID: $0.parent, productType: $0.type, sku: "S\($0.id)", isVirtual: $0.isVirtual,
          price: $0.price, ordered: $0.ordered, invoiced: $0.invoiced, shipped: $0.shipped, cancelled: $0.cancelled,
          refunded: 0)
      }, totalPaid: 0, invoices: invoices, shipments: shipments, creditMemos: [], captures: captures)
  }
}
