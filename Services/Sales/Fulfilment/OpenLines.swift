import Commerce

/// Which lines the shop has done with: shipped, cancelled or refunded. Only the others still count as sold there, which the
/// quantities that it is sent make up for (magento-rules.md §4).
enum OpenLines {
  /// A line that is open in the ledger, of which that many units are so no more in the shop.
  struct Closed: Equatable, Sendable {
    var number: Int
    var units: Decimal
    var isAll: Bool
  }

  /// What is open in the ledger and no more in the shop: of lines that the OMS has shipped first, then of those that it has cancelled.
  ///
  /// - Parameter lines: of the order, with what is noted of them.
  static func closed(_ lines: [SalesLine], in shop: OrderInShop) -> [Closed] {
    let articles = lines.filter { $0.itemID != 0 && $0.kind != .bundle }
    var closed: [Closed] = []
    for (id, lines) in Dictionary(grouping: articles, by: \.itemID) {
      guard let item = shop.item(id) else { continue }
      // What was refunded before it was sent is not sent any more; of what was sent before, both count once.
      var left = max(item.ordered - item.cancelled - max(item.shipped, item.refunded), 0)
      if item.isVirtual { left = max(item.ordered - item.cancelled - item.invoiced, 0) }
      if shop.state == "canceled" || shop.state == "closed" { left = 0 }
      // From the end: what is least likely to be done is what is left.
      let sorted = lines.sorted { ($0.endRank, $0.number) < ($1.endRank, $1.number) }
      for line in sorted.reversed() {
        let open = min(left, line.quantity)
        left -= open
        if line.shopDoneAt == nil, line.quantity - open > line.shopDoneUnits {
          closed.append(.init(number: line.number, units: line.quantity - open, isAll: open.isZero))
        }
      }
    }
    return closed.sorted { $0.number < $1.number }
  }
}

extension SalesLine {
  fileprivate var endRank: Int { shopDoneAt != nil ? 0 : shippedAt != nil ? 1 : cancelledAt != nil ? 2 : 3 }
}
