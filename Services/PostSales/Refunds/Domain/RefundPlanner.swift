import Commerce

/// The next single thing to do for a refund.
enum RefundStep: Equatable, Sendable {
  case make(MemoRequest)
  /// - Parameters:
  ///   - refunded: what the memos come to, in the order's currency.
  ///   - credit: what was paid with gift cards and the like and is to be credited now; 0 for nothing.
  case finished(refunded: Decimal, credit: Decimal)
  /// It waits for what comes by itself.
  case wait(String)
  /// Somebody has to look at it; with both sides' figures.
  case stuck(String)
}

/// A credit memo to be made.
struct MemoRequest: Equatable, Sendable {
  struct Item: Equatable, Sendable {
    var id: Int64
    /// 0 of what is not refunded: without it named the shop would refund it.
    var quantity: Decimal
  }

  /// The invoice that it is made through; nil for an offline one.
  var invoiceID: Int64?
  var items: [Item]
  /// This and the adjustments in base currency.
  var shipping: Decimal
  var positive: Decimal
  var negative: Decimal
  /// What the memo has to come to, in the order's currency.
  var expected: Decimal
}

/// Decides, from all that the shop says of an order's money, what is to be done next for a refund. It is asked again after each
/// memo, and whenever it is not known what became of one: what it sees is what it goes by.
///
/// A memo is found again by its comment, which names the credit note. Money is refunded online through the invoices whose
/// capture brought it, one memo for each; what no gateway of the shop has captured, and what a payment integration refunds at
/// the OMS's command, gets an offline memo.
struct RefundPlanner {
  /// Memos of one refund; more than invoices that captured one order.
  static let memoLimit = 50

  let books: ShopBooks
  let demand: RefundDemand
  /// Whether the shop's gateway gives the money back.
  let isOnline: Bool
  var shippingIncludesTax = false
  /// What other refunds of the order have had credited.
  var creditedEarlier: Decimal = 0

  private var currencies: Currencies { books.order.currencies }
  private var arithmetic: MemoArithmetic { MemoArithmetic(books: books, shippingIncludesTax: shippingIncludesTax) }
  /// Memos of this refund.
  var made: [ShopDocument] { books.memos.filter { CreditNoteMark.isIn($0.comments, demand.creditNote) } }

  func next() -> RefundStep {
    let refunded = made.map(\.total.order).sum()
    let money = min(demand.amount, max(books.moneyLeft.order + refunded, 0))
    let excess = demand.amount - money
    // Gift cards and the like have paid for what is beyond the money.
    let credited = min(excess, books.order.tendersInvoiced.order - creditedEarlier)
    if excess - max(credited, 0) > books.tolerance || (excess > books.tolerance && books.canInvoice) {
      return notEnough(refunded)
    }
    let rest = money - refunded
    let isSmall = rest.magnitude <= books.tolerance
    if rest.isZero || (isSmall && !made.isEmpty) { return finished(refunded, excess: excess) }
    guard rest > 0 else {
      return .stuck("credit memos of it come to \(amount(refunded)), the OMS refunds \(amount(demand.amount))")
    }
    guard made.count < Self.memoLimit else {
      return .stuck("it has \(made.count) credit memos and \(amount(rest)) are still missing")
    }
    if let units = uninvoicedUnits { return .wait("the shop has not invoiced \(units) yet") }
    let step = memo(for: rest)
    // What is less than the shop's base currency can tell is made up for by the next refund.
    if case .stuck = step, isSmall { return finished(refunded, excess: excess) }
    return step
  }

  private func memo(for rest: Decimal) -> RefundStep {
    switch books.order.state {
    case "payment_review", "holded": return .wait("the order is \(books.order.state) in the shop")
    case "canceled", "closed":
      return .stuck("the order is \(books.order.state) in the shop; \(amount(rest)) are still to be refunded")
    default: return isOnline ? online(rest) : offline(rest)
    }
  }

  /// Units that are to leave the order and that the shop is behind with: a refund may overtake its shipment. nil when there are
  /// none.
  private var uninvoicedUnits: String? {
    guard books.canInvoice else { return nil }
    for (id, quantity) in demand.units.sorted(by: { $0.key < $1.key }) {
      guard let item = books.item(id) else { continue }
      let missing = quantity - made.map { $0.quantity(of: id) }.sum() - books.quantityLeft(item)
      if missing > 0, item.ordered - item.invoiced - item.canceled >= missing { return "\(missing) of \(item.sku)" }
    }
    return nil
  }

  private func notEnough(_ refunded: Decimal) -> RefundStep {
    let figures =
      "the OMS refunds \(amount(demand.amount)); of \(amount(books.order.paid.order)) that were paid the shop has "
      + "refunded \(amount(books.order.refunded.order)), \(amount(refunded)) of it for this credit note, and "
      + "\(amount(books.moneyLeft.order)) are left"
    return books.canInvoice ? .wait("\(figures); more may still be invoiced") : .stuck(figures)
  }

  /// connector.md §2.5: what gift cards and the like have paid comes back as store credit, but only once all the money is back.
  /// To the OMS it is a discount on the order, so its refunds either go beyond the money – then what is beyond is credited – or
  /// end with it: then all is credited when all goods have come back, and nothing before.
  private func finished(_ refunded: Decimal, excess: Decimal) -> RefundStep {
    let tenders = books.order.tendersInvoiced.order - creditedEarlier
    guard tenders > 0, books.moneyLeft.order <= books.tolerance, !books.canInvoice else {
      return .finished(refunded: refunded, credit: 0)
    }
    if excess > books.tolerance { return .finished(refunded: refunded, credit: min(excess, tenders)) }
    let isCapped = demand.coversOrder && creditedEarlier.isZero && demand.isCappedByMoney
    return .finished(refunded: refunded, credit: isCapped ? tenders : 0)
  }

  // MARK: Memos

  private var unitsLeft: [Int64: Decimal] {
    demand.units.reduce(into: [:]) { left, unit in
      guard let item = books.item(unit.key) else { return }
      let done = made.map { $0.quantity(of: unit.key) }.sum()
      let count = min(unit.value - done, books.quantityLeft(item))
      if count > 0 { left[unit.key] = count }
    }
  }

  private var shippingLeft: Decimal { max(demand.shipping - made.map(\.shipping.total.order).sum(), 0) }

  private func offline(_ rest: Decimal) -> RefundStep {
    let shipping = arithmetic.shippingAmount(for: shippingLeft, invoice: nil)
    return memo(rest, units: unitsLeft, shipping: shipping, through: nil)
      ?? memo(rest, units: [:], shipping: 0, through: nil) ?? inexpressible(rest)
  }

  /// Through the first invoice that has of what is wanted, else through the one with the most money left.
  private func online(_ rest: Decimal) -> RefundStep {
    let invoices = books.invoices.filter { !$0.transactionID.isEmpty && books.moneyLeft(of: $0) > 0 }
    guard !invoices.isEmpty else {
      return .stuck(
        "no invoice of the order has money left that the shop's gateway has captured; \(amount(rest)) are to be refunded"
      )
    }
    for invoice in invoices {
      let units = unitsLeft.reduce(into: [Int64: Decimal]()) { taken, unit in
        let count = min(unit.value, books.quantityLeft(unit.key, of: invoice))
        if count > 0 { taken[unit.key] = count }
      }
      let shipping = arithmetic.shippingAmount(for: shippingLeft, invoice: invoice)
      guard !units.isEmpty || shipping > 0 else { continue }
      let isLast = units == unitsLeft && (shipping > 0 || shippingLeft.isZero)
      if let step = memo(rest, units: units, shipping: shipping, through: invoice, takesAll: isLast) { return step }
    }
    let richest = invoices.max { books.moneyLeft(of: $0) < books.moneyLeft(of: $1) }
    return memo(rest, units: [:], shipping: 0, through: richest) ?? inexpressible(rest)
  }

  /// - Parameters:
  ///   - rest: what the refund still has to come to.
  ///   - takesAll: whether this memo is to come to all of it, as far as its invoice has so much; otherwise it comes to what its
  ///     units and its shipping do.
  /// - Returns: nil when the shop would not take such a memo.
  private func memo(
    _ rest: Decimal, units: [Int64: Decimal], shipping: Decimal, through invoice: ShopDocument?, takesAll: Bool = true
  ) -> RefundStep? {
    let natural = arithmetic.natural(units: units, shipping: shipping, invoice: invoice) - books.tendersLeft
    var target = min(rest, books.moneyLeft.order)
    if !takesAll { target = min(target, natural.order) }
    if let invoice {
      let left = books.moneyLeft(of: invoice)
      // With the order's money the invoice's share of it may be used up to the last cent.
      let worth = left == books.moneyLeft.base ? books.moneyLeft.order : currencies.converted(left)
      target = min(target, worth)
    }
    guard target > 0 else { return nil }
    // What a memo before the last one leaves open is left to the next.
    let limits = Adjustment.Limits(
      order: books.moneyLeft, invoice: invoice.map { books.moneyLeft(of: $0) },
      keptBack: books.order.adjustmentNegative, ceiling: rest + books.tolerance,
      miss: target == rest ? books.tolerance : books.tolerance + currencies.orderUnit * 2)
    guard
      let adjustment = Adjustment.fit(target: target, natural: natural, limits: limits, currencies: currencies)
    else { return nil }
    let named = books.namedItems.filter { item in invoice.map { $0.quantity(of: item.id) > 0 } ?? true }
    return .make(
      MemoRequest(
        invoiceID: invoice?.id, items: named.map { .init(id: $0.id, quantity: units[$0.id] ?? 0) },
        shipping: shipping, positive: adjustment.positive, negative: adjustment.negative,
        expected: adjustment.total.order))
  }

  private func inexpressible(_ rest: Decimal) -> RefundStep {
    .stuck(
      "\(amount(rest)) are to be refunded, and no credit memo of the shop comes to that: \(amount(books.moneyLeft.order)) "
        + "are left, which are \(books.moneyLeft.base) \(currencies.base)")
  }

  private func amount(_ number: Decimal) -> String { "\(number) \(currencies.order)" }
}

/// The comment by which a memo is found again.
enum CreditNoteMark {
  private static let prefix = "OMS credit note "
  static func text(_ creditNote: String) -> String { "\(prefix)\(creditNote)" }

  /// What stands where a mark has the credit note's number: people write of the OMS, too.
  static func numbers(in comments: [String]) -> [String] {
    comments.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
  }

  /// Whole comments are compared: one number may begin with another.
  static func isIn(_ comments: [String], _ creditNote: String) -> Bool { comments.contains(text(creditNote)) }
}
