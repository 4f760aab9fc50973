import Commerce
import ServiceKit
import Storage

/// How a refund ends, or waits.
extension RefundWork {
  func finish(_ record: RefundRecord, owed: Decimal, _ books: ShopBooks) async throws -> Progress {
    guard owed > 0, !record.isCredited else {
      try await update(record) { ($0.state, $0.reason, $0.expected) = (.done, "", nil) }
      return .ended
    }
    let noted = try await update(record) { $0.credit = owed }
    let amount = "\(owed) \(record.currency)"
    guard let credit else {
      try await stick(
        noted,
        "store credit of \(amount), paid with gift cards or the like, is owed to the customer: credit it in the shop, then "
          + "settle the refund")
      return .ended
    }
    guard books.order.customerID != 0 else {
      try await stick(
        noted, "store credit of \(amount) is owed to a guest, who can hold none: see to it, then settle the refund")
      return .ended
    }
    do {
      try await credit.credit(owed, to: books.order, reference: record.creditNote)
    } catch let error as CommerceError where error.kind == .refused || error.kind == .notFound {
      try await stick(noted, "\(error); store credit of \(amount) is owed to the customer")
      return .ended
    }
    try await update(noted) { ($0.state, $0.reason, $0.isCredited, $0.expected) = (.done, "", true, nil) }
    return .ended
  }

  func wait(_ record: RefundRecord, _ reason: String) async throws -> Progress {
    if now() - record.dueAt > Self.patience {
      try await stick(record, reason)
      return .ended
    }
    try await update(record) { $0.reason = reason }
    return .waits(reason)
  }

  func waiting(_ due: [RefundRecord], _ item: WorkItem, _ reason: String) async throws -> WorkOutcome {
    var isWaiting = false
    for record in due {
      if case .waits = try await wait(record, reason) { isWaiting = true }
    }
    return isWaiting ? .again(after: Self.pause(item), reason: reason) : .done
  }

  /// Longer each time, a minute at most.
  static func pause(_ item: WorkItem) -> Duration {
    .seconds(min(60, 1 << min(item.attempts, 6)))
  }

  func stick(_ record: RefundRecord, _ reason: String) async throws {
    try await update(record) { ($0.state, $0.reason) = (.stuck, reason) }
    Log.error(
      "refund needs an operator",
      ["credit_note": "\(record.creditNote)", "order": "\(record.incrementID)", "reason": "\(reason)"])
  }

  /// Whoever looks at the refunds of the order has to see that nothing goes on with them any more.
  func giveUp(_ item: WorkItem, _ error: any Error) async throws {
    let store = store
    let due = try await database.read { try store.refunds(ofOrder: item.key, $0) }.filter { $0.state == .due }
    for record in due {
      let open = record.expected.map {
        "; a credit memo of \($0) \(record.currency) was asked for, and it is not known what became of it: look in the shop"
          + (record.isExpectedOnline ? " and at the payment gateway" : "") + " before you resume"
      }
      try await stick(record, "given up after \(item.attempts + 1) attempts: \(error)\(open ?? "")")
    }
  }

  func current(_ record: RefundRecord) async throws -> RefundRecord {
    let store = store
    return try await database.read { try store.refund(record.creditNote, $0) } ?? record
  }

  /// Changes what the store has of a refund; messages may have changed it meanwhile.
  @discardableResult
  func update(
    _ record: RefundRecord, _ change: @escaping @Sendable (inout RefundRecord) -> Void,
    also: @escaping @Sendable (Connection) throws -> Void = { _ in }
  ) async throws -> RefundRecord {
    let store = store
    return try await database.write(weight: 2 + record.lines.count, key: record.incrementID) { connection in
      var current = try store.refund(record.creditNote, connection) ?? record
      let before = current
      change(&current)
      if current != before { try store.save(current, connection) }
      try also(connection)
      return current
    }
  }
}
