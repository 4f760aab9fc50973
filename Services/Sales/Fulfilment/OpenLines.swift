import Commerce

/// Which lines the shop has done with: shipped, cancelled or refunded. Only the others still count as sold there, which the
/// quantities that it is sent make up for (magento-rules.md §4).
enum OpenLines {
  /// Numbers of lines that are open in the ledger and no more in the shop, those first that the OMS has shipped, then those that
  /// it has cancelled.
  ///
  /// - Parameter lines: of the order, with what is noted of them.
  static func closed(_ lines: [SalesLine], in shop: OrderInShop) -> [Int] {
    let articles = lines.filter { $0.itemID != 0 && $0.kind != .bundle }
    var closed: [Int] = []
    for (id, lines) in Dictionary(grouping: articles, by: \.itemID) {
      guard let item = shop.item(id) else { continue }
      // What was refunded before it was sent is not sent any more; of what was sent before, both count once.
      var left = max(item.ordered - item.cancelled - max(item.shipped, item.refunded), 0)
      if item.isVirtual { left = max(item.ordered - item.cancelled - item.invoiced, 0) }
      if shop.state == "canceled" || shop.state == "closed" { left = 0 }
      // From the end: what is least likely to be done is what is left.
      let sorted = lines.sorted { ($0.endRank, $0.number) < ($1.endRank, $1.number) }
      for line in sorted.reversed() {
        if left > 0 {
          left -= line.quantity
        } else if line.shopDoneAt == nil {
          closed.append(line.number)
        }
      }
    }
    return closed.sorted()
  }
}

extension SalesLine {
  fileprivate var endRank: Int { shopDoneAt != nil ? 0 : shippedAt != nil ? 1 : cancelledAt != nil ? 2 : 3 }
}
