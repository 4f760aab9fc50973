import Commerce
import Messages
import Storage

/// What is written of an order of the shop: with the message for the OMS, or with why there is none yet.
struct OrderDraft: Sendable {
  var order: SalesOrder
  /// Of an order that waits: what was sold, not taken apart, so that its units are counted.
  var lines: [SalesLine]
  /// The params of `create`; nil while it waits.
  var body: [UInt8]?
  let content: [UInt8]

  /// - Parameters:
  ///   - view: where it was sold, or why that is not known.
  ///   - products: what the catalog knows of its products, or why that is not known.
  init(
    _ shopOrder: ShopOrder, view: Result<ShopView, ExportHold>, products: Result<CatalogProducts, ExportHold>,
    _ mapping: Mapping, unitLimit: Int = LedgerLine.defaultUnitLimit
  ) {
    content = shopOrder.content
    order = SalesOrder(shopOrder, view: try? view.get(), mapping)
    lines = []
    do throws(ExportHold) {
      guard shopOrder.isOpen else { throw .shopState(shopOrder.message.state) }
      try prepare(shopOrder, view.get(), products.get(), mapping, unitLimit)
    } catch {
      order.exportState = .held
      order.reason = "\(error)"
      lines = SalesLine.sold(by: shopOrder.message, (try? products.get())?.byID ?? [:])
    }
  }

  private mutating func prepare(
    _ shopOrder: ShopOrder, _ view: ShopView, _ products: CatalogProducts, _ mapping: Mapping, _ unitLimit: Int
  ) throws(ExportHold) {
    // An order with so many units that they don't fit a message goes with one line an item.
    for unitLimit in [unitLimit, 1] {
      let export = try ExportableOrder(
        shopOrder.message, products: products.byID, view: view, mapping: mapping, unitLimit: unitLimit)
      for line in export.lines where line.kind == .shipping || line.kind == .service {
        guard products.exportedSKUs.contains(line.sku) else { throw .notInCatalog(sku: line.sku) }
      }
      let attributes: MappedAttributes
      do throws(MessageError) {
        attributes = try MappedAttributes(of: shopOrder, mapping)
      } catch {
        throw .unreadable(field: "order", reason: "\(error)")
      }
      let body = Array(export.message(attributes: attributes).json().utf8)
      guard body.count <= Outbox.maximumBodyBytes else {
        if unitLimit == 1 { throw .tooLarge(bytes: body.count) }
        continue
      }
      self.body = body
      order.channel = export.channel
      lines = export.lines.map { SalesLine($0) }
      return
    }
  }
}

extension SalesOrder {
  /// An order as the shop has it, not sent yet.
  init(_ shopOrder: ShopOrder, view: ShopView?, _ mapping: Mapping) {
    let message = shopOrder.message
    self.init(
      incrementID: message.incrementId, exportState: .held, createdAt: shopOrder.createdAt ?? WallClock.nanoseconds())
    entityID = message.entityId
    website = view?.websiteCode ?? ""
    storeView = view?.storeViewCode ?? ""
    channel = mapping.storeViews[storeView] ?? mapping.websites[website]?.channel ?? ""
    currency = message.orderCurrencyCode
    baseCurrency = message.baseCurrencyCode
    // 0 and nothing are written where both currencies are the same.
    if let rate = message.baseToOrderRate.flatMap({ Decimal($0) }), rate > 0 { baseToOrderRate = rate }
    grandTotal = message.grandTotal.flatMap { Decimal($0) } ?? 0
    paymentMethod = message.payment?.method ?? ""
    captureModel = mapping.payments[paymentMethod]?.model
    isVirtual = message.isVirtual
    originalOrderID = message.relationParentRealId
    shopDigest = shopOrder.digest
  }

  /// An order that can't even be read: it is held, for somebody to see.
  init(_ unreadable: UnreadableOrder, now: Int64) {
    self.init(incrementID: unreadable.incrementID, exportState: .held, createdAt: now)
    entityID = unreadable.entityID
    reason = unreadable.reason
    shopDigest = unreadable.digest
  }
}

extension SalesLine {
  init(_ line: LedgerLine) {
    self.init(number: line.number, kind: line.kind, sku: line.sku)
    itemID = line.itemID ?? 0
    productID = line.productID ?? 0
    parent = line.parent ?? 0
    name = line.name
    quantity = line.quantity
    gross = line.amounts.gross
    tax = line.amounts.tax
    shipsTogether = line.isShippedTogether && line.kind == .bundle
  }

  /// What an order has sold, whatever else is wrong with it: a line for each item that is not merely the wrapping of others.
  static func sold(by order: Magento.Commerce.V1.Order, _ products: [Int64: CatalogProduct]) -> [SalesLine] {
    let items = Dictionary(order.items.map { ($0.itemId, $0) }) { first, _ in first }
    let parents = Set(order.items.map(\.parentItemId))
    var lines: [SalesLine] = []
    for item in order.items where !parents.contains(item.itemId) {
      let parent = items[item.parentItemId]
      // Money and documents are the configurable product's, goods are the variant's.
      let owner = parent?.productType == "configurable" ? parent ?? item : item
      var line = SalesLine(
        number: lines.count + 1,
        kind: item.isVirtual || ["virtual", "downloadable"].contains(item.productType)
          ? .virtual : .physical, sku: products[item.productId]?.sku ?? item.sku)
      line.itemID = owner.itemId
      line.productID = item.productId
      line.name = owner.name
      line.quantity = owner.qtyOrdered.flatMap { Decimal($0) } ?? 0
      // What can't be read is the reason why the order waits.
      if let amounts = try? RowAmounts(owner) { (line.gross, line.tax) = (amounts.gross, amounts.tax) }
      lines.append(line)
    }
    return lines
  }
}
