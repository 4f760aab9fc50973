import Testing

@testable import Commerce
@testable import PostSales

@Suite("The next step of a refund")
struct RefundPlannerTests {
  private static func step(
    _ notice: RefundNotice, _ order: ModelOrder, known: KnownOrder = Mugs.known, isOnline: Bool = false,
    earlier: [Int: RefundDemand.Earlier] = [:]
  ) throws -> RefundStep {
    let demand = try RefundDemand(notice, order: known, books: order.books, earlier: earlier)
    return RefundPlanner(books: order.books, demand: demand, isOnline: isOnline).next()
  }

  private static func memo(
    invoice: Int64? = nil, _ units: [Int64: Decimal], shipping: Decimal = 0, plus: Decimal = 0, minus: Decimal = 0,
    expected: Decimal, items: [Int64] = [1, 2]
  ) -> RefundStep {
    .make(
      MemoRequest(
        invoiceID: invoice, items: items.map { .init(id: $0, quantity: units[$0] ?? 0) }, shipping: shipping,
        positive: plus, negative: minus, expected: expected))
  }

  @Test(
    "offline: whole units as quantities, parts of them and appeasements as adjustments, shipping as shipping",
    arguments: [
      ("a unit", Mugs.refund([1: 10]), memo([1: 1], expected: 10)),
      ("all that was sold", Mugs.refund([1: 10, 2: 10, 3: 7, 4: 5]), memo([1: 2, 2: 1], shipping: 5, expected: 32)),
      ("a part of a unit", Mugs.refund([1: 4]), memo([:], plus: 4, expected: 4)),
      ("an appeasement", Mugs.refund([1: 10], type: .appeasement), memo([:], plus: 10, expected: 10)),
      ("a cancellation", Mugs.refund([3: 7], type: .cancellation), memo([2: 1], expected: 7)),
      ("shipping", Mugs.refund([4: 5]), memo([:], shipping: 5, expected: 5)),
      ("a part of it", Mugs.refund([4: 2]), memo([:], shipping: 2, expected: 2)),
      ("a unit and a part of another", Mugs.refund([1: 10, 3: 3]), memo([1: 1], plus: 3, expected: 13)),
    ])
  func offline(name: String, notice: RefundNotice, expected: RefundStep) throws {
    #expect(try Self.step(notice, Mugs.order()) == expected, "\(name)")
  }

  @Test("the rest of a unit takes it out of the order, and what was given back before is kept back")
  func rest() throws {
    var order = Mugs.order()
    guard case .make(let first) = try Self.step(Mugs.refund([1: 4]), order) else { throw RefundProblem("no memo") }
    _ = try order.refund(first, mark: CreditNoteMark.text("CDE1"))
    let step = try Self.step(Mugs.refund("CDE2", [1: 6]), order, earlier: [1: .init(amount: 4)])
    #expect(step == Self.memo([1: 1], minus: 4, expected: 6))
  }

  @Test("online: one memo for each invoice that captured the units, shipping by the one that holds it")
  func online() throws {
    var order = Mugs.order(method: "gateway", invoices: [[1: 1], [1: 1, 2: 1]])
    let notice = Mugs.refund([1: 10, 2: 10, 3: 7, 4: 5])
    #expect(
      try Self.step(notice, order, isOnline: true)
        == Self.memo(invoice: 1, [1: 1], shipping: 5, expected: 15, items: [1]))
    guard case .make(let first) = try Self.step(notice, order, isOnline: true) else { throw RefundProblem("no memo") }
    _ = try order.refund(first, mark: CreditNoteMark.text("CDE1"))
    #expect(try Self.step(notice, order, isOnline: true) == Self.memo(invoice: 2, [1: 1, 2: 1], expected: 17))
  }

  @Test("online: nothing that the gateway has not captured")
  func uncaptured() throws {
    let step = try Self.step(Mugs.refund([1: 10]), Mugs.order(), isOnline: true)
    guard case .stuck(let reason) = step else { throw RefundProblem("\(step)") }
    #expect(reason.contains("10 EUR"))
  }

  @Test("a memo that is there already is not made again")
  func known() throws {
    var order = Mugs.order()
    guard case .make(let memo) = try Self.step(Mugs.refund([1: 10]), order) else { throw RefundProblem("no memo") }
    _ = try order.refund(memo, mark: CreditNoteMark.text("CDE1"))
    #expect(try Self.step(Mugs.refund([1: 10]), order) == .finished(refunded: 10, credit: 0))
    // Another number that begins alike is another refund.
    #expect(try Self.step(Mugs.refund("CDE", [2: 10]), order) == Self.memo([1: 1], expected: 10))
  }

  @Test("more than is left is nobody's guess; it waits while money may still come in")
  func tooMuch() throws {
    var order = Mugs.order()
    order.refunded = Sides(order: 30, base: 30)
    guard case .stuck(let reason) = try Self.step(Mugs.refund([1: 10]), order) else { throw RefundProblem("not stuck") }
    #expect(reason.contains("the OMS refunds 10 EUR") && reason.contains("2 EUR are left"))
    let uninvoiced = Mugs.order(invoices: [])
    guard case .wait = try Self.step(Mugs.refund([1: 10]), uninvoiced) else { throw RefundProblem("does not wait") }
    let behind = Mugs.order(invoices: [[1: 2]])
    guard case .wait(let why) = try Self.step(Mugs.refund([3: 7]), behind) else { throw RefundProblem("does not wait") }
    #expect(why.contains("CAP"))
  }

  @Test(
    "held orders wait, closed ones are the operator's", arguments: ["holded", "payment_review", "canceled", "closed"])
  func states(state: String) throws {
    var books = Mugs.order().books
    books.order.state = state
    let demand = try RefundDemand(Mugs.refund([1: 10]), order: Mugs.known, books: books, earlier: [:])
    let step = RefundPlanner(books: books, demand: demand, isOnline: false).next()
    switch step {
    case .wait(let reason): #expect(["holded", "payment_review"].contains(state) && reason.contains(state))
    case .stuck(let reason): #expect(["canceled", "closed"].contains(state) && reason.contains("10 EUR"))
    default: Issue.record("\(step)")
    }
  }

  @Test("a line that the order doesn't have")
  func unknownLine() {
    #expect(throws: RefundProblem.self) { try Self.step(Mugs.refund([9: 1]), Mugs.order()) }
  }

  @Test("an order whose rest equals what was kept back would take no more memos: one unit is added on both sides")
  func keptBack() throws {
    let currencies = Currencies(order: "EUR", base: "EUR", rate: 1)
    let limits = Adjustment.Limits(
      order: Sides(order: 12, base: 12), invoice: nil, keptBack: 5, ceiling: 100, miss: 0)
    let plain = Adjustment.fit(
      target: 6, natural: Sides(order: 6, base: 6), limits: limits, currencies: currencies)
    #expect(plain.map { [$0.positive, $0.negative] } == [0, 0])
    let trap = Adjustment.fit(
      target: 7, natural: Sides(order: 7, base: 7), limits: limits, currencies: currencies)
    #expect(trap.map { [$0.positive, $0.negative] } == [Decimal("0.01"), Decimal("0.01")])
  }

  @Test("a bundle with a fixed price leaves the order with its last part")
  func bundle() throws {
    var order = Mugs.order()
    order.items = [
      .init(
        id: 1, sku: "SET", quantity: 1,
        parts: [Sides(order: 30, base: 30), .zero, .zero, .zero, .zero], invoicedQuantity: 1,
        invoiced: [Sides(order: 30, base: 30), .zero, .zero, .zero, .zero])
    ]
    var books = order.books
    books.order.items[0].type = "bundle"
    books.order.items += [
      ShopItem(id: 2, parentID: 1, sku: "A", ordered: 1, invoiced: 1),
      ShopItem(id: 3, parentID: 1, sku: "B", ordered: 1, invoiced: 1),
    ]
    let known = KnownOrder(
      incrementID: "100000007", entityID: 7, currency: "EUR", salesChannel: "EU",
      lines: [
        .init(number: 1, itemID: 1, sku: "SET", kind: "BUNDLE", quantity: 1, gross: 0),
        .init(number: 2, itemID: 2, sku: "A", kind: "PHYSICAL", quantity: 1, gross: 10, parent: 1),
        .init(number: 3, itemID: 3, sku: "B", kind: "PHYSICAL", quantity: 1, gross: 20, parent: 1),
      ])
    let part = try RefundDemand(Mugs.refund([2: 10]), order: known, books: books, earlier: [:])
    #expect(part.units.isEmpty && part.lines[0].isWhole)
    let last = try RefundDemand(
      Mugs.refund([3: 20]), order: known, books: books, earlier: [2: .init(amount: 10, isWhole: true)])
    #expect(last.units == [1: 1])
  }

  @Test("of a line that stands for many units, as many leave as are paid back")
  func manyUnits() throws {
    var known = Mugs.known
    known.lines[0].quantity = 200
    known.lines[0].gross = 2_000
    let books = Mugs.order().books
    #expect(try RefundDemand(Mugs.refund([1: 30]), order: known, books: books, earlier: [:]).units == [1: 3])
    #expect(try RefundDemand(Mugs.refund([1: 35]), order: known, books: books, earlier: [:]).units.isEmpty)
    #expect(
      try RefundDemand(Mugs.refund([1: 30], type: .appeasement), order: known, books: books, earlier: [:]).units.isEmpty
    )
  }
}
