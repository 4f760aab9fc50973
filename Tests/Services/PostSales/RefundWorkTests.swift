import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Carrying refunds out")
struct RefundWorkTests {
  private static func with(
    _ engine: TestEngine = .sqlite, _ order: ModelOrder = Mugs.order(), _ known: KnownOrder = Mugs.known,
    credit: ModelCredit? = nil, _ body: (RefundWorld) async throws -> Void
  ) async throws {
    let world = try RefundWorld(engine, order, known, credit: credit)
    do {
      try await body(world)
    } catch {
      await world.close()
      throw error
    }
    await world.close()
  }

  @Test("a refund is made once, however often it is told and tried", arguments: TestEngine.allCases)
  func once(engine: TestEngine) async throws {
    try await Self.with(engine) { world in
      for _ in 0..<3 {
        try await world.tell(Mugs.refund([1: 10, 4: 5]))
        try await world.attempt()
      }
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .done && record.refunded == 15 && record.memos.map(\.amount) == [15])
      #expect(record.lines.map(\.isWhole) == [true, false] && record.lines.map(\.sku) == ["MUG", "STANDARD"])
      #expect(world.shop.order.memos.count == 1 && world.shop.mails == 1)
      #expect(try await world.waiting(FollowUps.orders, "100000007"))
      #expect(try await world.waiting(FollowUps.stock, "MUG"))
    }
  }

  @Test(
    "an answer that is lost: the memo is found; a call that is lost: it is made again, but not before the shop is through"
  )
  func lost() async throws {
    try await Self.with { world in
      world.shop.fail(.lostAnswer)
      try await world.tell(Mugs.refund([1: 10]))
      guard case .unsettled = try await world.attempt() else { throw RefundProblem("it is not tried again") }
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
      #expect(world.shop.order.memos.count == 1)

      world.shop.fail(.lostCall)
      try await world.tell(Mugs.refund("CDE2", [2: 10]))
      try await world.attempt()
      for _ in 0..<3 {
        guard case .unsettled = try await world.attempt() else { throw RefundProblem("it did not wait") }
      }
      #expect(world.shop.order.memos.count == 1)
      world.pass(.seconds(121))
      try await world.attempt()
      #expect(try await world.refund("CDE2")?.state == .done)
      #expect(world.shop.order.memos.count == 2)
    }
  }

  @Test(
    "a lost call that may have reached the payment gateway is not made again before somebody has looked there",
    arguments: TestEngine.allCases)
  func undecided(engine: TestEngine) async throws {
    try await Self.with(engine, Mugs.order(method: "gateway")) { world in
      world.shop.fail(.lostCall)
      try await world.tell(Mugs.refund([1: 10]))
      guard case .unsettled = try await world.attempt() else { throw RefundProblem("it does not wait for the shop") }
      for _ in 0..<3 {
        world.pass(.seconds(121))
        try await world.tell(Mugs.refund([1: 10]))
        try await world.attempt()
      }
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .stuck && world.shop.order.memos.isEmpty)
      for figure in ["given 10 EUR back", "OMS refunds 10 EUR", "of 32 that were paid", "has refunded 0,"] {
        #expect(record.reason.contains(figure), "\(record.reason)")
      }
      try await world.resume("CDE1")
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
      #expect(world.shop.order.memos.map(\.total.order) == [10])
    }
  }

  @Test("what the gateway gave back and somebody has entered in the shop is not refunded again when it is resumed")
  func entered() async throws {
    try await Self.with(.sqlite, Mugs.order(method: "gateway")) { world in
      world.shop.fail(.lostCall)
      try await world.tell(Mugs.refund([1: 10]))
      try await world.attempt()
      world.pass(.seconds(121))
      try await world.attempt()
      let memo = MemoRequest(
        invoiceID: nil, items: [.init(id: 1, quantity: 1), .init(id: 2, quantity: 0)], shipping: 0, positive: 0,
        negative: 0, expected: 10)
      try world.shop.change { _ = try $0.refund(memo, mark: "OMS credit note CDE1") }
      try await world.resume("CDE1")
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
      #expect(world.shop.order.memos.count == 1)
    }
  }

  @Test("a shop that can't be reached is asked again at once, as nothing can have happened")
  func unreachable() async throws {
    try await Self.with { world in
      world.shop.fail(.unreachable)
      try await world.tell(Mugs.refund([1: 10]))
      await #expect(throws: CommerceError.self) { try await world.attempt() }
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
    }
  }

  @Test("what is given up after two days of errors is said on each refund that is due, and goes on when it is resumed")
  func givenUp() async throws {
    try await Self.with { world in
      try await world.tell(Mugs.refund([1: 10]))
      try await world.tell(Mugs.refund("CDE2", [3: 7]))
      try await world.tell(Mugs.refund("CDE3", [4: 5], code: "PENDINGRELEASE"))
      world.shop.fail(.unreachable)
      #expect(try await world.attempt(giveUpAfter: .nanoseconds(-1)) == .done)
      for number in ["CDE1", "CDE2"] {
        let record = try #require(try await world.refund(number))
        #expect(record.state == .stuck)
        #expect(record.reason.hasPrefix("given up after 1 attempts: POST refund: nobody listens"), "\(record.reason)")
      }
      #expect(try await world.refund("CDE3")?.state == .pending)
      try await world.resume("CDE1")
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
    }
  }

  @Test("an offline memo that the shop fails on each time is an operator's, and other refunds go on")
  func failing() async throws {
    try await Self.with { world in
      try await world.tell(Mugs.refund([1: 10]))
      try await world.tell(Mugs.refund("CDE2", [3: 7]))
      for _ in 0..<RefundWork.refusalLimit {
        world.shop.fail(.lostCall)
        guard case .unsettled = try await world.attempt() else { throw RefundProblem("it does not wait for the shop") }
        let record = try #require(try await world.refund("CDE1"))
        #expect(record.state == .due && record.reason == "POST refund: lost")
        world.pass(.seconds(121))
      }
      try await world.attempt()
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .stuck)
      #expect(
        record.reason == "POST refund: lost; a credit memo of 10 EUR was asked for 6 times and not made",
        "\(record.reason)")
      #expect(try await world.refund("CDE2")?.state == .done)
      try await world.resume("CDE1")
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
      #expect(world.shop.order.memos.count == 2)
    }
  }

  @Test("a memo that comes to something else is the operator's, with both figures")
  func wrongAmount() async throws {
    try await Self.with { world in
      world.shop.fail(.wrongAmount)
      try await world.tell(Mugs.refund([1: 4]))
      try await world.attempt()
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .stuck && record.refunded == 5)
      #expect(record.reason.contains("comes to 5 EUR where 4 were to be"))
      // Telling it again starts nothing.
      try await world.tell(Mugs.refund([1: 4]))
      try await world.attempt()
      #expect(world.shop.order.memos.count == 1)
    }
  }

  @Test(
    "what no gateway is asked for and the shop could not save is tried again, and made once",
    arguments: TestEngine.allCases)
  func couldNotSave(engine: TestEngine) async throws {
    try await Self.with(engine) { world in
      world.shop.fail(.couldNotSave, .couldNotSave, .couldNotSave)
      try await world.tell(Mugs.refund([1: 10]))
      for count in 1...3 {
        guard case .again = try await world.attempt() else { throw RefundProblem("it is not tried again") }
        let record = try #require(try await world.refund("CDE1"))
        #expect(record.state == .due && record.refusals == count && record.reason.contains("Could not save"))
      }
      try await world.attempt()
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .done && record.refusals == 0 && record.reason.isEmpty)
      #expect(world.shop.order.memos.map(\.total.order) == [10])
    }
  }

  @Test("a refusal of what asks the payment gateway is the operator's at once")
  func refusedOnline() async throws {
    try await Self.with(.sqlite, Mugs.order(method: "gateway")) { world in
      world.shop.fail(.couldNotSave)
      try await world.tell(Mugs.refund([1: 10]))
      try await world.attempt()
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .stuck && record.reason.contains("look at the payment gateway"))
    }
  }

  @Test("what the shop goes on refusing is the operator's, and not tried again by itself")
  func refused() async throws {
    var order = Mugs.order()
    order.isOld = true
    order.shippingRefunded = order.shipping
    try await Self.with(.sqlite, order) { world in
      try await world.tell(Mugs.refund([1: 4]))
      for _ in 0..<RefundWork.refusalLimit { try await world.attempt() }
      let record = try #require(try await world.refund("CDE1"))
      #expect(record.state == .stuck && record.reason.contains("without products"))
      try await world.tell(Mugs.refund([1: 4]))
      #expect(try await world.refund("CDE1")?.state == .stuck)
    }
  }

  @Test("an order that is not exported yet is waited for, for a day")
  func unknownOrder() async throws {
    var known = Mugs.known
    known.incrementID = "another"
    try await Self.with(.sqlite, Mugs.order(), known) { world in
      try await world.tell(Mugs.refund([1: 10]))
      guard case .again = try await world.attempt() else { throw RefundProblem("it did not wait") }
      #expect(try await world.refund("CDE1")?.reason.contains("no order 100000007") == true)
      world.pass(.seconds(25 * 3_600))
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .stuck)
    }
  }

  @Test("what gift cards have paid is credited when all the money is back, once", arguments: [true, false])
  func storeCredit(hasCompanion: Bool) async throws {
    var order = Mugs.order(invoices: [])
    order.tender = Sides(order: 12, base: 12)
    order.invoice([1: 2, 2: 1], isCaptured: false)
    let credit = hasCompanion ? ModelCredit() : nil
    try await Self.with(.sqlite, order, credit: credit) { world in
      try await world.tell(Mugs.refund([1: 10]))
      try await world.attempt()
      #expect(try await world.refund("CDE1")?.state == .done)
      #expect(credit?.all.isEmpty ?? true)
      try await world.tell(Mugs.refund("CDE2", [2: 10, 3: 7, 4: 5]))
      for _ in 0..<2 { try await world.attempt() }
      let record = try #require(try await world.refund("CDE2"))
      #expect(world.shop.order.refunded.order == 20 && record.credit == 12)
      if let credit {
        #expect(record.state == .done && credit.all == ["CDE2": 12])
      } else {
        #expect(record.state == .stuck && record.reason.contains("12 EUR"))
      }
    }
  }

  @Test("a random order's refunds, told twice and out of order, with answers lost, on both engines", arguments: 0..<12)
  func random(seed: Int) async throws {
    let random = RandomRefunds(seed: UInt64(seed) + 7_000)
    let engine: TestEngine = seed % 4 == 0 ? .postgresql : .sqlite
    try await Self.with(engine, random.order, random.known, credit: ModelCredit()) { world in
      for (index, notice) in random.refunds.enumerated() {
        var pending = notice
        pending.statusCode = "PENDINGRELEASE"
        for message in [[pending, notice], [notice, pending], [notice, notice]][index % 3] {
          try await world.tell(message)
        }
        if index % 3 == 1 { world.shop.fail(.lostAnswer) }
        for _ in 0..<4 {
          try await world.attempt()
          world.pass(.seconds(121))
        }
        let record = try #require(try await world.refund(notice.creditNote))
        #expect(record.state == .done, "seed \(seed), \(notice.creditNote): \(record.reason)")
      }
      let wanted = min(random.refunds.map(\.amount).sum(), world.shop.order.paid.order)
      let made = world.shop.order.memos.map(\.total.order).sum()
      #expect((wanted - made).magnitude <= world.shop.order.books.tolerance, "seed \(seed)")
    }
  }
}
