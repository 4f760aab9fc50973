import Commerce

/// How many units of which order items the lines of a ledger are to the shop, which names one side of a parent and its
/// children, and not always the same (magento-rules.md §1 and §2).
struct ItemQuantities {
  let ledger: FulfilmentLedger
  let shop: OrderInShop

  /// Units to have been shipped once these shipments are in the shop.
  ///
  /// A bundle that ships together counts by its own item once all of its goods have left, one that ships separately by
  /// its parts; a configurable product by its parent, which is the line's item. What is virtual is never shipped.
  func shipped(by shipments: Set<String>) -> [Int64: Decimal] {
    var units: [Int64: Decimal] = [:]
    for line in ledger.lines where line.isArticle && line.kind == .physical {
      guard let id = line.itemID, let item = shop.item(id), !item.isVirtual else { continue }
      if let parent = line.parent.flatMap({ ledger.line($0) }), parent.shipsTogether { continue }
      if let key = line.shippedBy, shipments.contains(key) { units[id, default: 0] += line.quantity }
    }
    for bundle in ledger.lines where bundle.kind == .bundle && bundle.shipsTogether {
      guard let id = bundle.itemID else { continue }
      let goods = parts(of: bundle).filter { $0.kind == .physical }
      let left = goods.filter { $0.shippedBy.map { shipments.contains($0) } ?? false }
      if !goods.isEmpty, left.count == goods.count { units[id, default: 0] += bundle.quantity }
    }
    return units
  }

  /// Units to have been invoiced once these shipments are: what they sent, and what is virtual and live when it may be
  /// given out. Never what the OMS has cancelled.
  func invoiced(through shipments: Set<String>, withVirtual: Bool) -> [Int64: Decimal] {
    var units: [Int64: Decimal] = [:]
    for line in ledger.lines where line.isArticle {
      guard let id = line.itemID, let item = shop.item(id) else { continue }
      if let bundle = shop.bundle(of: item), shop.hasFixedPrice(bundle) { continue }
      if isDue(line, shipments, withVirtual: withVirtual) { units[id, default: 0] += line.quantity }
    }
    // The price of a unit of a fixed-price bundle can't be taken apart in the shop: it is due once nothing more of the unit
    // is to come. What was cancelled of it the OMS refunds.
    for bundle in ledger.lines where bundle.kind == .bundle {
      guard let id = bundle.itemID, let item = shop.item(id), shop.hasFixedPrice(item) else { continue }
      let parts = parts(of: bundle)
      let due = parts.filter { isDue($0, shipments, withVirtual: withVirtual) }
      let open = parts.filter { part in !due.contains(part) && !part.isCancelled }
      if open.isEmpty, !due.isEmpty { units[id, default: 0] += bundle.quantity }
    }
    return units
  }

  private func isDue(_ line: FulfilmentLedger.Line, _ shipments: Set<String>, withVirtual: Bool) -> Bool {
    if let key = line.shippedBy { return shipments.contains(key) }
    return line.kind == .virtual && !line.isCancelled && withVirtual
  }

  private func parts(of bundle: FulfilmentLedger.Line) -> [FulfilmentLedger.Line] {
    ledger.lines.filter { $0.parent == bundle.number && $0.isArticle }
  }

  /// Everything that the shop would still invoice, but for what the OMS has cancelled.
  func invoiceableLive() -> [Int64: Decimal] {
    var units: [Int64: Decimal] = [:]
    for line in ledger.lines where line.isArticle && !line.isCancelled {
      guard let id = line.itemID, let item = shop.item(id) else { continue }
      if let bundle = shop.bundle(of: item), shop.hasFixedPrice(bundle) { continue }
      units[id, default: 0] += line.quantity
    }
    for bundle in ledger.lines where bundle.kind == .bundle {
      guard let id = bundle.itemID, let item = shop.item(id), shop.hasFixedPrice(item) else { continue }
      if parts(of: bundle).contains(where: { !$0.isCancelled }) { units[id, default: 0] += bundle.quantity }
    }
    return units
  }
}
