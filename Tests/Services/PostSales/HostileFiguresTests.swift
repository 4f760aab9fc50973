import Messages
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

/// A trap ends the process, and as work is durable its next start, too: no figure of the shop or of the OMS may cause one.
@Suite("Figures at the edge of what is read")
struct HostileFiguresTests {
  private static let edges = [
    "1000000000000", "-1000000000000", "0.0001", "-0.0001", "0", "1", "10", "-3.5", "999999.99",
  ]
  .compactMap { Decimal($0) }
  private static let rates: [Decimal] = [
    Currencies.rates.lowerBound, Currencies.rates.upperBound, 1, Decimal("0.9137") ?? 1, Decimal("150.3712") ?? 1,
  ]

  private static func figure(_ random: inout SeededGenerator) -> Decimal { edges.randomElement(using: &random) ?? 0 }
  private static func sides(_ random: inout SeededGenerator) -> Sides {
    Sides(order: figure(&random), base: figure(&random))
  }

  /// What is kept of an order has a limit of its own.
  private static func money(_ random: inout SeededGenerator) -> Sides {
    let edges = ["100000000000", "-100000000000", "0.0001", "-7", "0", "20", "999999.99"].compactMap { Decimal($0) }
    return Sides(
      order: edges.randomElement(using: &random) ?? 0, base: edges.randomElement(using: &random) ?? 0)
  }

  private static func shipping(_ random: inout SeededGenerator) -> ShippingAmounts {
    ShippingAmounts(
      amount: sides(&random), tax: sides(&random), compensation: sides(&random), discount: sides(&random))
  }

  private static func document(_ id: Int64, items: Int64, _ random: inout SeededGenerator) -> ShopDocument {
    var document = ShopDocument(id: id, total: money(&random))
    document.invoiceID = Bool.random(using: &random) ? 1 : 0
    document.transactionID = "captured"
    document.refunded = figure(&random)
    document.shipping = shipping(&random)
    document.tenders = sides(&random)
    document.adjustment = sides(&random)
    document.comments = Bool.random(using: &random) ? [CreditNoteMark.text("CDE1")] : []
    for item in 1...items where Bool.random(using: &random) {
      document.lines.append(
        .init(
          itemID: item, quantity: figure(&random),
          amounts: ItemAmounts(
            row: sides(&random), tax: sides(&random), compensation: sides(&random), weee: sides(&random),
            discount: sides(&random))))
    }
    return document
  }

  private static func books(_ random: inout SeededGenerator) -> ShopBooks {
    let places = [("JPY", "KWD"), ("EUR", "EUR"), ("KWD", "JPY")].randomElement(using: &random) ?? ("EUR", "EUR")
    var order = ShopOrder(
      entityID: 7, incrementID: "100000007", state: "processing",
      currencies: Currencies(order: places.0, base: places.1, rate: rates.randomElement(using: &random) ?? 1),
      paymentMethod: "checkmo")
    order.paid = money(&random)
    order.refunded = money(&random)
    order.adjustmentNegative = figure(&random)
    order.shipping = shipping(&random)
    order.tendersInvoiced = money(&random)
    order.tendersRefunded = money(&random)
    let items = Int64.random(in: 1...3, using: &random)
    for id in 1...items {
      order.items.append(
        ShopItem(
          id: id, ordered: figure(&random), invoiced: figure(&random), refunded: figure(&random),
          rowTotal: figure(&random)))
    }
    return ShopBooks(
      order: order, invoices: (1...2).map { document($0, items: items, &random) },
      memos: (0..<Int64.random(in: 0...2, using: &random)).map { document($0 + 1, items: items, &random) })
  }

  @Test("no refund calculated from them traps, or comes to what can't be kept", arguments: 0..<40)
  func refunds(seed: Int) throws {
    var random = SeededGenerator(seed: UInt64(seed))
    let smallest = try #require(Decimal("0.000000000001"))
    for _ in 0..<50 {
      let books = try Self.books(&random).checked()
      let amounts: [Decimal] = [.limit, smallest, 1, 10]
      func amount() -> Decimal { amounts.randomElement(using: &random) ?? 1 }
      let known = KnownOrder(
        incrementID: "100000007", entityID: 7, currency: "EUR", salesChannel: "EU",
        lines: (1...3).map {
          .init(
            number: $0, itemID: Int64($0), sku: "S", kind: $0 == 3 ? "SHIPPING" : "PHYSICAL", quantity: amount(),
            gross: amount())
        })
      let earlier: [Int: RefundDemand.Earlier] = [
        1: .init(amount: amount(), isWhole: Bool.random(using: &random), isReturned: true)
      ]
      let notice = Mugs.refund([1: amount(), 2: amount(), 3: amount()])
      let carried = ([books.tolerance, -books.tolerance, 0] as [Decimal]).randomElement(using: &random) ?? 0
      let demand = try RefundDemand(notice, order: known, books: books, earlier: earlier, carried: carried)
      for isOnline in [true, false] {
        for shippingIncludesTax in [true, false] {
          let planner = RefundPlanner(
            books: books, demand: demand, isOnline: isOnline, shippingIncludesTax: shippingIncludesTax,
            creditedEarlier: amount())
          switch planner.next() {
          case .make(let memo): #expect(memo.expected.magnitude <= .limit)
          case .finished(let refunded, let credit):
            #expect(refunded.magnitude <= .limit && credit.magnitude <= .limit)
          case .wait, .stuck: break
          }
        }
      }
    }
  }

  @Test("an order whose sums are beyond what can be calculated with is unreadable")
  func sums() throws {
    var books = Mugs.order().books
    #expect(try books.checked() == books)
    let line = ShopDocument.Line(
      itemID: 1, quantity: 1, amounts: ItemAmounts(row: Sides(order: -Decimal.limit, base: 0)))
    books.invoices[0].lines = Array(repeating: line, count: 200)
    let error = #expect(throws: CommerceError.self) { try books.checked() }
    #expect(error?.kind == .unreadable && error?.message.contains("amounts in EUR") == true)
    books.invoices[0].lines = Array(
      repeating: .init(itemID: 1, quantity: .limit), count: 101)
    #expect(throws: CommerceError.self) { try books.checked() }
    books = Mugs.order().books
    books.memos = (1...2).map { ShopDocument(id: $0, total: Sides(order: .limit, base: 1)) }
    let kept = #expect(throws: CommerceError.self) { try books.checked() }
    #expect(kept?.message.contains("payments and refunds in EUR") == true)
  }

  @Test(
    "rates that no currencies have, and items that are there twice, are unreadable",
    arguments: [
      (#""base_to_order_rate":"0.000000000001""#, "base_to_order_rate 0.000000000001"),
      (#""base_to_order_rate":1000001"#, "base_to_order_rate 1000001"),
      (#""items":[{"item_id":3},{"item_id":4},{"item_id":3}]"#, "item 3 is in it twice"),
    ])
  func reading(field: String, reason: String) throws {
    let root = try JSONDocument(parsing: Array("{\"entity_id\":7,\(field)}".utf8)).root
    let error = #expect(throws: CommerceError.self) { try ShopOrder(root) }
    #expect(error?.kind == .unreadable && error?.message.contains(reason) == true, "\(error as Any)")
  }

  @Test("what more is given back for a line that has left the order takes no units with it")
  func second() throws {
    var known = Mugs.known
    (known.lines[0].quantity, known.lines[0].gross) = (200, 2_000)
    let demand = try RefundDemand(
      Mugs.refund([1: 30]), order: known, books: Mugs.order().books,
      earlier: [1: .init(amount: 2_000, isWhole: true, isReturned: true)])
    #expect(demand.units.isEmpty)
  }
}
