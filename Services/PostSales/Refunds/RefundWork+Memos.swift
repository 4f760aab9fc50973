import Commerce
import ServiceKit
import Storage

/// One memo: asked for, noted, compared.
extension RefundWork {
  /// - Returns: nil when the memo was made, and the books are to be read.
  func make(_ memo: MemoRequest, _ record: RefundRecord, _ order: KnownOrder) async throws -> Progress? {
    let intended = try await intend(memo, record)
    guard intended else { return .unsettled(after: options.settleTime, reason: "another replica is at it") }
    do {
      let id = try await shop.make(
        memo, ofOrder: order.entityID, mark: CreditNoteMark.text(record.creditNote),
        notify: options.sendsMails(to: order.salesChannel) && !record.isSilent)
      Log.info(
        "credit memo made",
        [
          "credit_note": "\(record.creditNote)", "order": "\(record.incrementID)", "memo": LogValue(id),
          "amount": "\(memo.expected)", "online": LogValue(memo.invoiceID != nil),
        ])
      return nil
    } catch let error as CommerceError where error.mayHaveHadEffect {
      try await update(record) { $0.reason = "\(error)" }
      return .unsettled(after: options.settleTime, reason: "\(error)")
    } catch let error as CommerceError where error.kind == .refused && memo.invoiceID == nil {
      return try await refused(memo, record, error)
    } catch let error as CommerceError where error.kind == .refused || error.kind == .notFound {
      try await stick(
        record, "\(error); a credit memo of \(memo.expected) \(record.currency) was asked for" + gatewayHint(memo))
      return .ended
    } catch let error as CommerceError {
      // Nothing was done: it may be asked for again at once.
      try await update(record) { $0.expected = nil }
      throw error
    }
  }

  /// So many times an offline memo is refused, or not made though it was asked for, before an operator is asked.
  static let refusalLimit = 6

  /// "Could not save" may pass later (magento-rules.md §4). Where no gateway is asked nothing is lost by trying again: the books are
  /// read first.
  private func refused(_ memo: MemoRequest, _ record: RefundRecord, _ error: CommerceError) async throws -> Progress {
    let noted = try await countRefusal(of: memo.expected, record, "\(error)")
    return noted.state == .due ? .waits("\(error)") : .ended
  }

  /// The shop has had its time since it was asked for an offline memo, and there is none.
  func missed(_ expected: Decimal, _ record: RefundRecord) async throws -> RefundRecord {
    try await countRefusal(of: expected, record, record.reason.isEmpty ? "the shop's answer was lost" : record.reason)
  }

  /// Nothing is open any more: the memo may be asked for again, unless it was too often.
  private func countRefusal(of expected: Decimal, _ record: RefundRecord, _ reason: String) async throws -> RefundRecord
  {
    let noted = try await update(record) { current in
      current.refusals += 1
      (current.expected, current.reason) = (nil, reason)
    }
    if noted.refusals < Self.refusalLimit { return noted }
    try await stick(
      noted,
      "\(reason); a credit memo of \(expected) \(record.currency) was asked for \(noted.refusals) times and not made")
    return try await current(noted)
  }

  /// "Could not save" can come after the gateway has given the money back (magento-rules.md §4).
  private func gatewayHint(_ memo: MemoRequest) -> String {
    memo.invoiceID == nil ? "" : "; look at the payment gateway whether it has refunded it before you resume"
  }

  /// Notes that the memo is being asked for, unless another replica has done so.
  private func intend(_ memo: MemoRequest, _ record: RefundRecord) async throws -> Bool {
    let (store, time) = (store, now())
    return try await database.write(key: record.incrementID) { connection in
      guard var current = try store.refund(record.creditNote, connection), current.state == .due,
        current.attemptedAt == record.attemptedAt
      else { return false }
      (current.expected, current.isExpectedOnline) = (memo.expected, memo.invoiceID != nil)
      current.attemptedAt = max(time, record.attemptedAt + 1)
      try store.save(current, connection)
      return true
    }
  }

  /// Notes the memos that are there, and compares the new ones with what they were to come to.
  func note(
    _ made: [ShopDocument], _ demand: RefundDemand, _ order: KnownOrder, _ record: RefundRecord
  ) async throws -> RefundRecord {
    let fresh = made.filter { memo in !record.memos.contains { $0.id == memo.id } }
    let hasLines = record.lines.allSatisfy { $0.itemID != 0 || $0.sku != "" }
    guard !fresh.isEmpty || record.currency != order.currency || !hasLines else { return record }
    let hasUnits = fresh.contains { $0.lines.contains { !$0.quantity.isZero } }
    let skus = hasUnits ? demand.lines.compactMap { order.line($0.number)?.isProduct == true ? $0.sku : nil } : []
    let changed = try await update(record) { current in
      current.currency = order.currency
      current.lines = demand.lines.map { line in
        let reason = current.lines.first { $0.number == line.number }?.reason ?? ""
        return .init(
          number: line.number, amount: line.amount, reason: reason, itemID: line.itemID, sku: line.sku,
          isWhole: line.isWhole)
      }
      guard !fresh.isEmpty else { return }
      for memo in fresh {
        current.memos.append(
          .init(id: memo.id, invoiceID: memo.invoiceID, isOnline: memo.invoiceID != 0, amount: memo.total.order))
        if let expected = current.expected, expected != memo.total.order {
          current.state = .stuck
          current.reason =
            "credit memo \(memo.id) of the shop comes to \(memo.total.order) \(order.currency) where \(expected) were to be "
            + "refunded; the OMS refunds \(current.amount)"
        }
      }
      current.refunded = current.memos.map(\.amount).sum()
      current.refusals = 0
      if current.state == .due { current.expected = nil }
    } also: { connection in
      if fresh.isEmpty { return }
      try FollowUps.orders.add(connection, record.incrementID)
      for sku in Set(skus) { try FollowUps.stock.add(connection, sku) }
    }
    if !fresh.isEmpty { followUp() }
    return changed
  }
}
