import Commerce

/// Bundles that leave otherwise than they were sold: what the shop can't tell, and somebody has to decide.
extension ShopPlan {
  /// A unit with a price of its own of which a part left, while of another one the OMS, which is through, has said nothing. The shop
  /// invoices it as a whole or not at all, and nobody would refund what was never sent: so neither is done, and nothing is
  /// cancelled, until the OMS says what became of it or somebody has invoiced the unit.
  func unaccountedBundle(_ quantities: ItemQuantities) -> Step? {
    let due = quantities.invoiced(through: Set(ledger.shipments.map(\.key)), withVirtual: ledger.givesOutVirtual)
    for (item, bundles) in bundles(where: { shop.hasFixedPrice($0) }) where !shop.isOver {
      func unaccounted(_ bundle: FulfilmentLedger.Line) -> Decimal {
        let parts = quantities.parts(of: bundle)
        let begun = quantities.begun(bundle, parts) { $0.quantity - $0.unshipped }
        return max(begun - quantities.whole(bundle, parts) { $0.quantity - ($0.isMissing ? $0.unshipped : 0) }, 0)
      }
      let open = bundles.filter { unaccounted($0) > 0 }
      let units = open.map(unaccounted).sum()
      guard units > 0, item.toInvoice > 0, item.invoiced < due[item.id, default: 0] + units else { continue }
      let missing = open.flatMap { quantities.parts(of: $0) }.filter(\.isMissing)
      return .stuck(
        "the OMS is through, and \(units) × \(item.sku) has left in parts: \(names(missing)) neither left nor was cancelled. "
          + "The shop can only invoice the whole of it: have the OMS send or cancel what is missing, or invoice the bundle in the "
          + "shop, then omsctl orders resume \(ledger.incrementID)")
    }
    return nil
  }

  /// A unit that the shop ships as a whole (magento-rules.md §2: only when all of its parts have left), of which a part left and
  /// the others never will.
  func tornBundle(_ quantities: ItemQuantities) -> Step? {
    guard ledger.nothingIsLeftToShip, !["canceled", "closed"].contains(shop.state) else { return nil }
    let whole = quantities.shipped(by: Set(ledger.shipments.map(\.key)))
    for (item, bundles) in bundles(where: { _ in true }) {
      func tornUnits(_ bundle: FulfilmentLedger.Line) -> Decimal {
        guard bundle.shipsTogether else { return 0 }
        let goods = quantities.goods(of: bundle)
        return quantities.begun(bundle, goods) { $0.quantity - $0.unshipped }
          - quantities.whole(bundle, goods) { $0.quantity - $0.unshipped }
      }
      let torn = bundles.filter { tornUnits($0) > 0 }
      let units = torn.map(tornUnits).sum()
      guard units > 0, item.shipped + item.refunded < whole[item.id, default: 0] + units else { continue }
      let left = torn.flatMap { quantities.parts(of: $0) }.filter(\.hasShipped)
      let keys = Set(left.flatMap(\.shipped.keys))
      let tracks = ledger.shipments.filter { keys.contains($0.key) }.flatMap(\.tracks).map(\.number)
      return .stuck(
        "of \(units) × \(item.sku), which the shop ships as a whole, only \(names(left)) left"
          + (tracks.isEmpty ? "" : " (tracking \(tracks.prefix(20).joined(separator: ", ")))")
          + "; ship or refund it in the shop, then omsctl orders resume \(ledger.incrementID)")
    }
    return nil
  }

  /// Lines of bundles by the shop's item, those with the lowest id first.
  private func bundles(
    where isMeant: (OrderInShop.Item) -> Bool
  ) -> [(item: OrderInShop.Item, lines: [FulfilmentLedger.Line])] {
    let all = ledger.lines.filter { $0.kind == .bundle && $0.itemID != nil }
    return Dictionary(grouping: all) { $0.itemID ?? 0 }.sorted { $0.key < $1.key }.compactMap { id, lines in
      shop.item(id).flatMap { isMeant($0) ? ($0, lines) : nil }
    }
  }

  private func names(_ lines: [FulfilmentLedger.Line]) -> String {
    let names = lines.prefix(10).map { "line \($0.number) (\($0.sku))" }.joined(separator: ", ")
    return lines.count > 10 ? "\(names) and \(lines.count - 10) more" : names
  }
}
