import Commerce
import EventLoop
import ServiceKit
import Storage

/// Carries out the refunds of one order that are due, one after the other: each changes what the next one's units come to, and
/// what is left to refund.
///
/// What was done is read from the shop, never remembered alone. Before a memo is asked for, that is noted; whatever happens then –
/// no answer, the end of this process – the shop's memos are read before anything else, and one that is not there is asked for
/// again only when the shop has had time to finish with the first request. Not even then where the shop's payment gateway may have
/// given the money back all the same, for a memo that the shop then could not save (magento-rules.md §4): that is an operator's.
struct RefundWork: Sendable {
  /// Keys are increment ids.
  static let queue = WorkQueue(kind: "refund")
  /// How long a refund waits for what has to come first: the order's export, its invoices.
  static let patience: Int64 = 24 * 3_600 * 1_000_000_000

  let database: Database
  let shop: any RefundShop
  let orders: any OrderBook
  let credit: (any StoreCredit)?
  let mapping: Mapping
  let options: PostSalesOptions
  let store = RefundStore()
  /// Nanoseconds since 1970.
  var now: @Sendable () -> Int64 = { WallClock.nanoseconds() }
  /// Told when orders and stock wait for what follows a memo.
  var followUp: @Sendable () -> Void = {}
  /// What fails for that long is an operator's.
  var giveUpAfter = WorkRunner.Options().giveUpAfter

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
    do {
      return try await follow(item)
    } catch let error where !(error is CancellationError) {
      let age = Duration.nanoseconds(max(0, now() - item.addedAt))
      guard age > giveUpAfter else { throw error }
      try await giveUp(item, error)
      return .done
    }
  }

  private func follow(_ item: WorkItem) async throws -> WorkOutcome {
    let store = store
    let due = try await database.read { try store.refunds(ofOrder: item.key, $0) }.filter { $0.state == .due }
    guard !due.isEmpty else { return .done }
    guard let order = try await orders.order(item.key) else {
      return try await waiting(due, item, "sales has exported no order \(item.key)")
    }
    guard order.entityID != 0 else {
      for record in due {
        try await stick(record, "order \(item.key) was made by the OMS: the shop has none of that number to refund")
      }
      return .done
    }
    var waits: String?
    for record in due {
      switch try await carryOut(record, order) {
      case .ended: continue
      case .waits(let reason): waits = waits ?? reason
      case .unsettled(let after, let reason): return .unsettled(after: after, reason: reason)
      }
    }
    guard let waits else { return .done }
    return .again(after: Self.pause(item), reason: waits)
  }

  enum Progress {
    case ended
    case waits(String)
    /// It is not known yet what the shop has done.
    case unsettled(after: Duration, reason: String)
  }

  // MARK: One refund

  private func carryOut(_ refund: RefundRecord, _ order: KnownOrder) async throws -> Progress {
    var record = refund
    // Each round notes what is there and asks for one more memo.
    for _ in 0...RefundPlanner.memoLimit + 1 {
      let books = try await shop.books(ofOrder: order.entityID)
      let demand: RefundDemand
      do {
        demand = try await self.demand(record, order, books)
      } catch let problem as RefundProblem {
        try await stick(record, problem.description)
        return .ended
      }
      guard let model = mapping.payments[books.order.paymentMethod]?.model else {
        try await stick(record, "payment method \(books.order.paymentMethod) is not mapped: see COMMERCE_MAPPING_FILE")
        return .ended
      }
      let planner = RefundPlanner(
        books: books, demand: demand,
        isOnline: model == .offline || (model == .offlineCaptured && books.wasCapturedByGateway),
        shippingIncludesTax: options.shippingIncludesTax, creditedEarlier: try await creditedEarlier(record))
      record = try await note(planner.made, demand, order, record)
      guard record.state == .due else { return .ended }
      if let unsettled = unsettled(record) { return unsettled }
      if let expected = record.expected {
        if record.isExpectedOnline {
          try await stick(record, Self.undecided(expected, record, books))
          return .ended
        }
        record = try await missed(expected, record)
        guard record.state == .due else { return .ended }
      }
      switch planner.next() {
      case .make(let memo):
        if !demand.units.isEmpty, let units = Self.unshipped(order, books) {
          return try await wait(record, "the shop has not shipped \(units) yet, which have left")
        }
        if let progress = try await make(memo, record, order) { return progress }
        record = try await current(record)
      case .finished(_, let owed):
        return try await finish(record, owed: owed, books)
      case .wait(let reason):
        return try await wait(record, reason)
      case .stuck(let reason):
        try await stick(record, reason)
        return .ended
      }
    }
    try await stick(record, "it is not finished after \(RefundPlanner.memoLimit) credit memos")
    return .ended
  }

  /// Goods that have left and that the shop is behind with: a credit memo of units takes them from those that can be shipped
  /// (magento-rules.md §2). Parts of bundles are left out, which the shop may count by the bundle. nil when there are none.
  private static func unshipped(_ order: KnownOrder, _ books: ShopBooks) -> String? {
    let left = order.lines.filter { $0.kind == "PHYSICAL" && $0.isShipped && $0.parent == 0 && $0.itemID != 0 }
    for (id, lines) in Dictionary(grouping: left, by: \.itemID).sorted(by: { $0.key < $1.key }) {
      guard let item = books.item(id) else { continue }
      let missing = lines.map(\.quantity).sum() - item.shipped
      if missing > 0 { return "\(missing) of \(item.sku)" }
    }
    return nil
  }

  private func demand(
    _ record: RefundRecord, _ order: KnownOrder, _ books: ShopBooks
  ) async throws -> RefundDemand {
    let store = store
    let others = try await database.read { try store.refunds(ofOrder: record.incrementID, $0) }
      .filter { $0.creditNote != record.creditNote && $0.state == .done }
    var earlier: [Int: RefundDemand.Earlier] = [:]
    var carried = Decimal.zero
    for other in others {
      for line in other.lines {
        earlier[line.number, default: .init()].amount += line.amount
        if line.isWhole { earlier[line.number]?.isWhole = true }
        if other.type != .appeasement, !line.amount.isZero { earlier[line.number]?.isReturned = true }
      }
      // What somebody has settled by hand is settled.
      if other.note.isEmpty, other.credit.isZero { carried += other.amount - other.refunded }
    }
    let tolerance = books.tolerance
    return try RefundDemand(
      record.notice, order: order, books: books, earlier: earlier,
      carried: min(max(carried, -tolerance), tolerance))
  }

  private func creditedEarlier(_ record: RefundRecord) async throws -> Decimal {
    let store = store
    return try await database.read { try store.refunds(ofOrder: record.incrementID, $0) }
      .filter { $0.creditNote != record.creditNote }.map(\.credit).sum()
  }

  /// Money may have been given back or not: nothing is tried again before somebody has looked at the payment gateway.
  private static func undecided(_ expected: Decimal, _ record: RefundRecord, _ books: ShopBooks) -> String {
    let currency = books.order.currencies.order
    let (paid, refunded) = (books.order.paid.order, books.order.refunded.order)
    return
      "it is not known whether the payment gateway has given \(expected) \(currency) back: the shop's answer was lost, "
      + "and it has no credit memo for it. The OMS refunds \(record.amount) \(currency); of \(paid) that were paid "
      + "the shop has refunded \(refunded), \(record.refunded) of it for this credit note. Look at the payment gateway; if it "
      + "has refunded, make the credit memo in the shop, offline and with the comment "
      + "\"\(CreditNoteMark.text(record.creditNote))\"; then omsctl refunds resume \(record.creditNote)"
  }

  /// What is open after a request that was not answered; nil when nothing is.
  private func unsettled(_ record: RefundRecord) -> Progress? {
    guard let expected = record.expected else { return nil }
    let until = record.attemptedAt + Int64(clamping: options.settleTime.nanoseconds)
    let left = until - now()
    guard left > 0 else { return nil }
    return .unsettled(
      after: .nanoseconds(left), reason: "the shop may still be at a credit memo of \(expected) \(record.currency)")
  }
}
