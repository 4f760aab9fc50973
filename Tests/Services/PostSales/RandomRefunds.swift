import TestSupport

@testable import Commerce
@testable import PostSales

/// An order in some currencies, invoiced in some parts, and refunds of it that the OMS could decide on.
struct RandomRefunds {
  var order: ModelOrder
  var known: KnownOrder
  /// What the gateway captured is refunded through it.
  let isOnline: Bool
  private(set) var refunds: [RefundNotice] = []
  private var random: SeededGenerator

  private static let currencies = [
    ("EUR", "EUR", "1"), ("JPY", "JPY", "1"), ("KWD", "KWD", "1"), ("EUR", "USD", "0.9137"), ("JPY", "USD", "150.3712"),
    ("KWD", "EUR", "0.3301"), ("AED", "USD", "3.6725"), ("USD", "JPY", "0.0067"), ("EUR", "KWD", "3.0113"),
  ]

  init(seed: UInt64) {
    random = SeededGenerator(seed: seed)
    let (currency, base, rate) = Self.currencies.randomElement(using: &random) ?? ("EUR", "EUR", "1")
    isOnline = Bool.random(using: &random)
    order = ModelOrder(currencies: Currencies(order: currency, base: base, rate: Decimal(rate) ?? 1))
    order.method = isOnline ? "gateway" : "checkmo"
    known = KnownOrder(
      incrementID: order.incrementID, entityID: order.entityID, currency: currency, salesChannel: "EU", lines: [])
    let isWithTax = Bool.random(using: &random)
    for id in 1...Int64.random(in: 1...4, using: &random) { addItem(id, isWithTax: isWithTax) }
    addShipping(isWithTax: isWithTax)
    if Int.random(in: 0..<4, using: &random) == 0 { addFee() }
    if Int.random(in: 0..<4, using: &random) == 0 { addGiftCard() }
    invoiceInParts()
    decideRefunds()
  }

  // MARK: The order

  /// In ten-thousandths of a unit of the base currency; of a yen a hundred times that.
  private mutating func amount(_ range: ClosedRange<Int>) -> Decimal {
    let amount = Decimal(Int.random(in: range, using: &random)) / 10_000
    return (order.currencies.base == "JPY" ? amount * 100 : amount).rounded(order.currencies.basePlaces)
  }

  /// Amounts of one row on one side, as Magento works them out.
  private func row(
    _ price: Decimal, _ rate: Decimal, _ percent: Decimal, _ weee: Decimal, isWithTax: Bool, _ places: Int
  )
    -> [Decimal]
  {
    let discount = (price * percent / 100).rounded(places)
    guard isWithTax else { return [price, ((price - discount) * rate / 100).rounded(places), 0, weee, discount] }
    let full = (price * rate / (100 + rate)).rounded(places)
    let tax = ((price - discount) * rate / (100 + rate)).rounded(places)
    return [price - full, tax, full - tax, weee, discount]
  }

  private mutating func parts(_ price: Decimal, isWithTax: Bool, weee: Decimal) -> ModelOrder.Parts {
    let rate = ([0, 7, 19, Decimal("8.25") ?? 8] as [Decimal]).randomElement(using: &random) ?? 0
    let percent: Decimal = Bool.random(using: &random) ? Decimal(Int.random(in: 0...60, using: &random)) : 0
    let currencies = order.currencies
    let base = row(price, rate, percent, weee, isWithTax: isWithTax, currencies.basePlaces)
    let other = row(
      currencies.converted(price), rate, percent, currencies.converted(weee), isWithTax: isWithTax,
      currencies.orderPlaces)
    return zip(other, base).map { Sides(order: $0, base: $1) }
  }

  private mutating func addItem(_ id: Int64, isWithTax: Bool) {
    let quantity = Int.random(in: 1...5, using: &random)
    let weee = Int.random(in: 0..<5, using: &random) == 0 ? amount(1_000...30_000) : 0
    let price = amount(100_000...900_000) * Decimal(quantity)
    let parts = parts(price, isWithTax: isWithTax, weee: weee * Decimal(quantity))
    order.items.append(.init(id: id, sku: "SKU-\(id)", quantity: Decimal(quantity), parts: parts))
    // As sales takes an item apart: one line for each unit, the last minor units with the last ones.
    for gross in ModelOrder.total(parts).order.split(into: quantity, places: order.currencies.orderPlaces) {
      addLine(item: id, kind: "PHYSICAL", gross)
    }
  }

  private mutating func addShipping(isWithTax: Bool) {
    let parts = parts(amount(0...100_000), isWithTax: isWithTax, weee: 0)
    order.shipping = [parts[0], parts[1], parts[2], parts[4]]
    addLine(item: 0, kind: "SHIPPING", ModelOrder.total(order.shipping).order)
  }

  private mutating func addFee() {
    let fee = amount(1_000...50_000)
    order.extra = Sides(order: order.currencies.converted(fee), base: fee)
    addLine(item: 0, kind: "SERVICE", order.extra.order)
  }

  private mutating func addGiftCard() {
    let whole = order.items.map { ModelOrder.total($0.parts) }.sum() + ModelOrder.total(order.shipping) + order.extra
    let base = (whole.base / Decimal(Int.random(in: 2...5, using: &random))).rounded(order.currencies.basePlaces)
    order.tender = Sides(order: min(order.currencies.converted(base), whole.order), base: base)
  }

  private mutating func addLine(item: Int64, kind: String, _ gross: Decimal) {
    known.lines.append(
      .init(
        number: known.lines.count + 1, itemID: item, sku: item == 0 ? kind : "SKU-\(item)", kind: kind, quantity: 1,
        gross: gross))
  }

  private mutating func invoiceInParts() {
    while order.canInvoice {
      var quantities: [Int64: Decimal] = [:]
      for item in order.items {
        let left = (item.quantity - item.invoicedQuantity).integer ?? 0
        if left > 0 { quantities[item.id] = Decimal(Int.random(in: 0...left, using: &random)) }
      }
      guard quantities.values.contains(where: { $0 > 0 }) else { continue }
      order.invoice(quantities, isCaptured: isOnline)
    }
  }

  // MARK: The refunds

  /// Any lines, in whole or in part, never more than they cost; in some cases all of them in the end.
  private mutating func decideRefunds() {
    var left = Dictionary(uniqueKeysWithValues: known.lines.map { ($0.number, $0.gross) })
    let count = Int.random(in: 1...8, using: &random)
    let endsWithAll = Bool.random(using: &random)
    for number in 1...count {
      let type =
        [RefundType.returned, .returned, .cancellation, .appeasement].randomElement(using: &random) ?? .returned
      var lines: [RefundNotice.Line] = []
      for line in known.lines {
        let rest = left[line.number] ?? 0
        let takesAll = endsWithAll && number == count
        guard rest > 0, takesAll || Int.random(in: 0..<3, using: &random) == 0 else { continue }
        // A unit that comes back is paid back whole where gift cards are involved: they follow the goods.
        let isWhole = takesAll || Bool.random(using: &random) || (order.tender != .zero && type != .appeasement)
        let amount =
          isWhole
          ? rest
          : (rest * Decimal(Int.random(in: 1...100, using: &random)) / 100).rounded(order.currencies.orderPlaces)
        left[line.number] = rest - amount
        lines.append(.init(number: line.number, amount: amount, reason: ""))
      }
      guard !lines.isEmpty else { continue }
      refunds.append(
        RefundNotice(
          creditNote: "CDE\(number)", incrementID: known.incrementID, type: type, rma: "", statusCode: "RELEASED",
          statusReason: "REQUESTED", statusAt: 0, lines: lines))
    }
  }
}
