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
      let left = line.shipped(by: shipments)
      if left > 0 { units[id, default: 0] += left }
    }
    for bundle in ledger.lines where bundle.kind == .bundle && bundle.shipsTogether {
      guard let id = bundle.itemID else { continue }
      let left = whole(bundle, goods(of: bundle)) { $0.shipped(by: shipments) }
      if left > 0 { units[id, default: 0] += left }
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
      let due = due(line, shipments, withVirtual: withVirtual)
      if due > 0 { units[id, default: 0] += due }
    }
    // The price of a unit of a fixed-price bundle can't be taken apart in the shop: it is due once nothing more of the unit
    // is to come. What was cancelled of it the OMS refunds; of what it has said nothing, it refunds nothing.
    for bundle in ledger.lines where bundle.kind == .bundle {
      guard let id = bundle.itemID, let item = shop.item(id), shop.hasFixedPrice(item) else { continue }
      let parts = parts(of: bundle)
      let begun = begun(bundle, parts) { due($0, shipments, withVirtual: withVirtual) }
      let ended = whole(bundle, parts) {
        due($0, shipments, withVirtual: withVirtual) + ($0.isMissing ? 0 : $0.cancelled)
      }
      if min(begun, ended) > 0 { units[id, default: 0] += min(begun, ended) }
    }
    return units
  }

  private func due(_ line: FulfilmentLedger.Line, _ shipments: Set<String>, withVirtual: Bool) -> Decimal {
    line.shipped(by: shipments) + (line.kind == .virtual && !line.isCancelled && withVirtual ? line.unshipped : 0)
  }

  func parts(of bundle: FulfilmentLedger.Line) -> [FulfilmentLedger.Line] {
    ledger.lines.filter { $0.parent == bundle.number && $0.isArticle }
  }

  func goods(of bundle: FulfilmentLedger.Line) -> [FulfilmentLedger.Line] {
    parts(of: bundle).filter { $0.kind == .physical }
  }

  /// Everything that the shop would still invoice, but for what the OMS has cancelled.
  func invoiceableLive() -> [Int64: Decimal] {
    var units: [Int64: Decimal] = [:]
    for line in ledger.lines where line.isArticle && line.quantity > line.cancelled {
      guard let id = line.itemID, let item = shop.item(id) else { continue }
      if let bundle = shop.bundle(of: item), shop.hasFixedPrice(bundle) { continue }
      units[id, default: 0] += line.quantity - line.cancelled
    }
    for bundle in ledger.lines where bundle.kind == .bundle {
      guard let id = bundle.itemID, let item = shop.item(id), shop.hasFixedPrice(item) else { continue }
      let live = begun(bundle, parts(of: bundle)) { $0.quantity - $0.cancelled }
      if live > 0 { units[id, default: 0] += live }
    }
    return units
  }

  // MARK: Units of a bundle, of which a line may have many

  /// Those to all of whose parts it has happened.
  ///
  /// - Parameter units: of each part, those to which it has happened.
  func whole(
    _ bundle: FulfilmentLedger.Line, _ parts: [FulfilmentLedger.Line], _ units: (FulfilmentLedger.Line) -> Decimal
  ) -> Decimal {
    let counts = parts.map { part in
      let units = units(part)
      return units >= part.quantity ? bundle.quantity : Self.units(units, of: part, bundle).roundedDown(0)
    }
    return counts.min() ?? 0
  }

  /// Those to at least some of whose parts it has happened: nobody says which part was meant for which unit, so as few as can be.
  func begun(
    _ bundle: FulfilmentLedger.Line, _ parts: [FulfilmentLedger.Line], _ units: (FulfilmentLedger.Line) -> Decimal
  ) -> Decimal {
    let counts = parts.map { part in
      let units = units(part)
      if units <= 0 { return Decimal.zero }
      if units >= part.quantity { return bundle.quantity }
      let exact = Self.units(units, of: part, bundle)
      let down = exact.roundedDown(0)
      return min(exact > down ? down + 1 : down, bundle.quantity)
    }
    return counts.max() ?? 0
  }

  /// Units of the bundle that so many of a part's are for: less than all.
  private static func units(
    _ units: Decimal, of part: FulfilmentLedger.Line, _ bundle: FulfilmentLedger.Line
  ) -> Decimal {
    bundle.quantity.scaled(by: units, over: part.quantity) ?? bundle.quantity
  }
}

extension FulfilmentLedger.Line {
  /// Units that have left with these shipments.
  func shipped(by shipments: Set<String>) -> Decimal {
    shipped.filter { shipments.contains($0.key) }.values.sum()
  }
}
