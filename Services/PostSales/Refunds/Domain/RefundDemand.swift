import Commerce

/// What a refund asks of the shop: its lines, taken to the shop's items.
struct RefundDemand: Equatable, Sendable {
  struct Line: Equatable, Sendable {
    var number: Int
    var itemID: Int64
    var sku: String
    var amount: Decimal
    /// Whether all of it has been given back now, so that it leaves the order.
    var isWhole: Bool
  }

  /// What other refunds of the order have given back of a line.
  struct Earlier: Equatable, Sendable {
    var amount: Decimal = 0
    var isWhole = false
    /// Whether goods of it came back, or were never sent.
    var isReturned = false
  }

  var creditNote: String
  /// In the order's currency, with what earlier refunds could not express in the shop's base currency.
  var amount: Decimal
  var lines: [Line]
  /// Units that leave the order, by the item that memos name.
  var units: [Int64: Decimal]
  /// Of `amount`, what is for shipping.
  var shipping: Decimal
  /// Whether, with the earlier refunds, every product of the order has been given back, or all that it costs.
  var coversOrder: Bool
  /// Whether, with the earlier refunds, less has been refunded than the order's lines cost.
  var isCappedByMoney: Bool

  /// - Parameters:
  ///   - earlier: by line number.
  ///   - carried: what the shop has refunded too little so far, or too much if negative.
  /// - Throws: a line that the order doesn't have.
  init(
    _ notice: RefundNotice, order: KnownOrder, books: ShopBooks, earlier: [Int: Earlier], carried: Decimal = 0
  ) throws(RefundProblem) {
    creditNote = notice.creditNote
    amount = notice.amount + carried
    lines = []
    shipping = 0
    units = [:]
    var gone = earlier
    for line in notice.lines {
      guard let known = order.line(line.number) else {
        throw RefundProblem(
          "line \(line.number) is none of order \(order.incrementID), which has lines 1 to \(order.lines.count)")
      }
      let before = earlier[line.number] ?? Earlier()
      let sum = before.amount + line.amount
      let isWhole = notice.type != .appeasement && known.isProduct && !before.isWhole && sum >= known.gross
      gone[line.number] = Earlier(
        amount: sum, isWhole: before.isWhole || isWhole,
        isReturned: before.isReturned || (notice.type != .appeasement && !line.amount.isZero))
      lines.append(
        Line(number: line.number, itemID: known.itemID, sku: known.sku, amount: line.amount, isWhole: isWhole))
      if known.kind == "SHIPPING" { shipping += line.amount }
      // A line that has left the order has no units in it any more, whatever more is given back for it.
      let count =
        before.isWhole ? 0 : Self.units(of: known, amount: line.amount, isWhole: isWhole, type: notice.type)
      if count > 0, let item = books.item(known.itemID), !books.isDummy(item) || books.priced(item).type != "bundle" {
        units[books.priced(item).id, default: 0] += count
      }
    }
    for (item, count) in Self.bundles(order, books, before: earlier, after: gone) { units[item, default: 0] += count }
    coversOrder = order.lines.allSatisfy { line in
      guard line.isProduct, !line.gross.isZero else { return true }
      let gone = gone[line.number] ?? Earlier()
      return gone.isReturned || gone.amount >= line.gross
    }
    isCappedByMoney = gone.values.map(\.amount).sum() < order.lines.map(\.gross).sum()
  }

  /// Of a line that stands for many units, as many as the amount pays for: a refund's lines have no quantity.
  private static func units(of line: KnownOrder.Line, amount: Decimal, isWhole: Bool, type: RefundType) -> Decimal {
    if isWhole { return line.quantity }
    guard type != .appeasement, line.isProduct, line.quantity > 1, line.gross > 0, amount > 0 else { return 0 }
    guard amount < line.gross, let count = line.quantity.scaled(by: amount, over: line.gross) else { return 0 }
    return count.integer == nil ? 0 : count
  }

  /// Bundles with a fixed price, whose parts have theirs at the OMS only: a unit leaves the order with its last part.
  private static func bundles(
    _ order: KnownOrder, _ books: ShopBooks, before: [Int: Earlier], after: [Int: Earlier]
  ) -> [(Int64, Decimal)] {
    order.lines.filter { $0.kind == "BUNDLE" }.compactMap { bundle in
      guard let item = books.item(bundle.itemID), !books.isDummy(item) else { return nil }
      let parts = order.lines.filter { $0.parent == bundle.number }
      guard !parts.isEmpty, parts.allSatisfy({ after[$0.number]?.isWhole ?? false }),
        !parts.allSatisfy({ before[$0.number]?.isWhole ?? false })
      else { return nil }
      return (item.id, bundle.quantity)
    }
  }
}

/// Why a refund can't be carried out without somebody looking at it.
struct RefundProblem: Error, Equatable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
