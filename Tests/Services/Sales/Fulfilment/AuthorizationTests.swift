import Testing

@testable import Commerce
@testable import Sales

/// Of a method that takes one capture per order, see magento-rules.md §6, "Multi-capture".
@Suite("The end of an authorisation")
struct AuthorizationTests {
  private static let day: Int64 = 24 * 3_600 * 1_000_000_000
  private static let days = 7

  /// Three mugs, of which the first has left; the fourth is cancelled.
  private func plan(
    afterDays: Int64, shipped: Set<Int> = [1], isDone: Bool = false, days: Int? = Self.days,
    invoiced: Decimal = 0, inParts: Bool = false
  ) -> ShopPlan.Step {
    var shop = ModelShop()
    shop.items = [.init(id: 3, parent: nil, type: "simple", ordered: 4, invoiced: invoiced)]
    if isDone { shop[3].shipped = Decimal(shipped.count) }
    var payment = Mapping.PaymentMethod(model: .offline)
    payment.capturesInParts = inParts
    payment.authorizationDays = days
    let ledger = FulfilmentLedger(
      incrementID: "7", entityID: 7, website: "base", payment: payment, createdAt: 0,
      status: OrderStatus(code: ""), statusAt: 0, statusReceivedAt: 0,
      lines: (1...4).map { number in
        .init(
          number: number, gross: 10, itemID: 3, sku: "MUG", kind: .physical, quantity: 1,
          shipped: shipped.contains(number) ? ["A": 1] : [:], isCancelled: number == 4)
      }, shipments: shipped.isEmpty ? [] : [.init(key: "A", tracks: [], isDone: isDone)])
    return ShopPlan(ledger: ledger, shop: shop.order, now: afterDays * Self.day).next
  }

  private func captured(_ step: ShopPlan.Step) -> Decimal? {
    guard case .invoice(let invoice) = step, invoice.capture else { return nil }
    return invoice.quantities[3]
  }

  @Test("before it, a part that leaves is shipped, and the money waits for the last")
  func before() {
    guard case .ship = plan(afterDays: 5) else {
      Issue.record("\(plan(afterDays: 5))")
      return
    }
    // The day before the end, for what takes a while.
    #expect(
      plan(afterDays: 5, isDone: true)
        == .wait(
          nanoseconds: Self.day, reason: "the money is captured with the last parcel, or before the authorisation ends")
    )
  }

  @Test("a day before it all that lives is captured, with the parcel that leaves or without")
  func ending() {
    #expect(captured(plan(afterDays: 6)) == 3)
    #expect(captured(plan(afterDays: 6, isDone: true)) == 3)
    #expect(captured(plan(afterDays: 60, isDone: true)) == 3)
  }

  @Test("after that nothing is captured again")
  func once() {
    guard case .ship = plan(afterDays: 6, invoiced: 3) else {
      Issue.record("\(plan(afterDays: 6, invoiced: 3))")
      return
    }
    #expect(captured(plan(afterDays: 6, isDone: true, invoiced: 3)) == nil)
  }

  @Test("of what has not begun to leave nothing is captured, whatever ends")
  func unshipped() {
    #expect(captured(plan(afterDays: 6, shipped: [])) == nil)
  }

  @Test("it matters neither where parcels are captured each, nor where no days are set")
  func others() {
    #expect(captured(plan(afterDays: 6, inParts: true)) == 1)
    #expect(captured(plan(afterDays: 6, days: nil)) == nil)
    #expect(captured(plan(afterDays: 0, shipped: [1, 2, 3], days: nil)) == nil)
    #expect(captured(plan(afterDays: 0, shipped: [1, 2, 3], isDone: true, days: nil)) == 3)
  }
}
