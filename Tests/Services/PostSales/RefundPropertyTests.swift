import Testing

@testable import Commerce
@testable import PostSales

@Suite("Any sequence of refunds")
struct RefundPropertyTests {
  /// What becomes of one refund against the model.
  private struct Outcome {
    var refunded: Decimal = 0
    var credit: Decimal = 0
    var lines: [RefundDemand.Line] = []
  }

  @Test(
    "ends with credit memos and store credit that add up to what the OMS has refunded, and the shop refuses none of them",
    arguments: 0..<400)
  func balanced(seed: Int) throws {
    var random = RandomRefunds(seed: UInt64(seed))
    var outcomes: [String: Outcome] = [:]
    for notice in random.refunds {
      outcomes[notice.creditNote] = try carryOut(notice, &random, outcomes)
      // The same message once more, and everything before it.
      let memos = random.order.memos.count
      for earlier in outcomes.keys.sorted() {
        guard let again = random.refunds.first(where: { $0.creditNote == earlier }) else { continue }
        if earlier == notice.creditNote { _ = try carryOut(again, &random, outcomes.filter { $0.key != earlier }) }
      }
      #expect(random.order.memos.count == memos, "seed \(seed): \(notice.creditNote) was refunded twice")
    }
    let wanted = random.refunds.map(\.amount).sum()
    let refunded = random.order.memos.map(\.total.order).sum()
    let credited = outcomes.values.map(\.credit).sum()
    let tolerance = random.order.books.tolerance
    if random.order.tender == .zero {
      #expect((wanted - refunded).magnitude <= tolerance, "seed \(seed): \(wanted) became \(refunded)")
    } else {
      // Money goes first; store credit follows only when all of it is back.
      let money = min(wanted, random.order.paid.order)
      #expect((money - refunded).magnitude <= tolerance, "seed \(seed): \(wanted) became \(refunded)")
      #expect(credited <= random.order.tender.order, "seed \(seed)")
      if refunded < random.order.paid.order - tolerance { #expect(credited == 0, "seed \(seed)") }
      let all = random.known.lines.map(\.gross).sum()
      let slack = tolerance * Decimal(random.refunds.count)
      if wanted == all { #expect((credited + refunded - all).magnitude <= slack, "seed \(seed)") }
    }
    #expect(random.order.refunded.base <= random.order.paid.base)
    for item in random.order.items { #expect(item.refundedQuantity <= item.invoicedQuantity) }
  }

  private func carryOut(
    _ notice: RefundNotice, _ random: inout RandomRefunds, _ others: [String: Outcome]
  ) throws -> Outcome {
    var earlier: [Int: RefundDemand.Earlier] = [:]
    var carried = Decimal.zero
    for (name, other) in others {
      for line in other.lines {
        earlier[line.number, default: .init()].amount += line.amount
        if line.isWhole { earlier[line.number]?.isWhole = true }
        earlier[line.number]?.isReturned = true
      }
      let amount = random.refunds.first { $0.creditNote == name }?.amount ?? 0
      if other.credit.isZero { carried += amount - other.refunded }
    }
    let tolerance = random.order.books.tolerance
    carried = min(max(carried, -tolerance), tolerance)
    for _ in 0..<20 {
      let demand = try RefundDemand(
        notice, order: random.known, books: random.order.books, earlier: earlier, carried: carried)
      let planner = RefundPlanner(
        books: random.order.books, demand: demand, isOnline: random.isOnline,
        creditedEarlier: others.values.map(\.credit).sum())
      switch planner.next() {
      case .make(let memo):
        let id = try random.order.refund(memo, mark: CreditNoteMark.text(notice.creditNote))
        let made = try #require(random.order.memos.first { $0.id == id })
        #expect(made.total.order == memo.expected, "\(notice.creditNote): predicted wrongly")
      case .finished(let refunded, let credit):
        return Outcome(refunded: refunded, credit: credit, lines: demand.lines)
      case .wait(let reason), .stuck(let reason):
        throw RefundProblem("\(notice.creditNote): \(reason)")
      }
    }
    throw RefundProblem("\(notice.creditNote) never ends")
  }
}
