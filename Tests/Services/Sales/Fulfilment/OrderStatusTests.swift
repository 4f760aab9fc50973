import Testing

@testable import Sales

@Suite("Where the OMS is with an order")
struct OrderStatusTests {
  @Test("the shop's statuses are those that a merchant is told to make, each of them and no other")
  func shopStatuses() {
    let codes = [
      "", "NEW", "RECEIVED", "APPROVED", "AUTHORIZED", "ONHOLD", "LOGISTICS", "PRE_CANCELLATION", "PICKREADY",
      "PICKCONFIRMED", "PARTIALLY_COMPLETE", "LOGISTICSCOMPLETE", "ERROR", "COMPLETE", "CANCELLED", "REJECTED",
      "ABORTED", "INCOMPLETE", "SOMETHING_NEW",
    ]
    let answered = codes.flatMap { code in
      [false, true].compactMap { OrderStatus(code: code).shopStatus(hasShipped: $0) }
    }
    #expect(Set(answered) == Set(OrderStatus.shopStatuses))
    #expect(OrderStatus.shopStatuses.count == Set(OrderStatus.shopStatuses).count)
  }
}
