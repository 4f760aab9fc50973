import Commerce
import Messages
import ServiceKit
import Storage

/// Brings the shop's side of one return to what the OMS has said: made if it is not there, moved on, tracked, commented. Each time
/// the shop is read first, and only what is missing is done. Nothing is ever put back on the shelf (connector.md §2.10).
struct ReturnWork: Sendable {
  /// Keys are those of ``ReturnRecord``.
  static let queue = WorkQueue(kind: "return")

  let database: Database
  let shop: any ReturnShop
  let orders: any OrderBook
  let options: PostSalesOptions
  let store = ReturnStore()
  /// Nanoseconds since 1970.
  var now: @Sendable () -> Int64 = { WallClock.nanoseconds() }
  /// What fails for that long is an operator's.
  var giveUpAfter = WorkRunner.Options().giveUpAfter

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
    do {
      return try await follow(item)
    } catch let error where !(error is CancellationError) {
      let age = Duration.nanoseconds(max(0, now() - item.addedAt))
      let store = store
      guard age > giveUpAfter, let record = try await database.read({ try store.find(key: item.key, $0) }) else {
        throw error
      }
      return try await attention(record, "given up after \(item.attempts + 1) attempts: \(error)")
    }
  }

  private func follow(_ item: WorkItem) async throws -> WorkOutcome {
    let store = store
    guard let record = try await database.read({ try store.find(key: item.key, $0) }), !record.rma.isEmpty else {
      return .done
    }
    // Without returns in the shop they are known here, and their refunds are made all the same.
    guard try await shop.hasReturns() else { return .done }
    guard let order = try await orders.order(record.incrementID) else {
      return try await waits(record, item, "sales has exported no order \(record.incrementID)")
    }
    // Exchanges and reshipments are the OMS's own: the shop has no such order.
    guard order.entityID != 0 else { return .done }
    do {
      var entityID = record.entityID
      if entityID == 0 {
        switch try await find(record, order) {
        case .there(let found): entityID = found
        case .nothingToReturn: return .done
        case .asked: return .again(after: .milliseconds(100), reason: "the shop was asked to make it")
        case .unsettled(let after, let reason): return try await unsettled(record, item, after, reason)
        }
      }
      guard let made = try await shop.find(entityID) else {
        return try await attention(record, "the shop's return \(entityID) is gone; make it anew there, or leave it")
      }
      try await moveOn(made, record, order)
      try await track(made, record)
      try await comment(made, record)
    } catch let error as CommerceError where error.kind == .refused || error.kind == .notFound {
      // A return may overtake the shipment that it is of.
      return try await waits(record, item, "\(error)")
    }
    try await update(record) { ($0.reason, $0.needsAttention) = ("", false) }
    return .done
  }

  // MARK: There or not

  private enum Found {
    case there(Int64)
    /// Virtual products and gift cards are refunded only (magento-rules.md §3).
    case nothingToReturn
    case asked
    case unsettled(Duration, String)
  }

  private func find(_ record: ReturnRecord, _ order: KnownOrder) async throws -> Found {
    let all = try await shop.returns(ofOrder: order.entityID)
    let units = ReturnedUnits(record: record, order: order).byItem
    let store = store
    let known = try await database.read { try store.returns(ofOrder: record.incrementID, $0) }
    let (claimed, numbers) = (Set(known.map(\.entityID)), Set(known.map(\.rma)))
    let own = all.first { $0.isMade(for: record.rma) }
    // Somebody has asked for it in the shop, and that has not been read yet.
    let open = all.first { made in
      !made.isMade(forOneOf: numbers) && !claimed.contains(made.rma.entityId) && made.rma.status == "pending"
        && made.rma.items.reduce(into: [:]) { $0[$1.orderItemId, default: 0] += Self.quantity($1) } == units
    }
    if let found = own ?? open {
      let number = found.rma.incrementId
      try await update(record) { ($0.entityID, $0.shopNumber, $0.attemptedAt) = (found.rma.entityId, number, 0) }
      return .there(found.rma.entityId)
    }
    if record.attemptedAt != 0 {
      let left = record.attemptedAt + Int64(clamping: options.settleTime.nanoseconds) - now()
      if left > 0 { return .unsettled(.nanoseconds(left), "the shop may still be making it") }
    }
    return try await make(record, order, units)
  }

  private func make(_ record: ReturnRecord, _ order: KnownOrder, _ units: [Int64: Decimal]) async throws -> Found {
    let shopOrder = try await shop.order(order.entityID)
    let returnable = shopOrder.items.filter { item in
      units[item.id] != nil && !item.isVirtual && !["virtual", "downloadable", "giftcard"].contains(item.type)
    }
    guard !returnable.isEmpty else { return .nothingToReturn }
    let choices = try await shop.options()
    let items = returnable.map { item -> Magento.Commerce.V1.RmaItem in
      let line = record.lines.first { order.line($0.number)?.itemID == item.id }
      return .init(
        orderItemId: item.id, qtyRequested: (units[item.id] ?? 0).message,
        reason: choices.id("reason", code: line?.reason ?? ""),
        condition: choices.id("condition", code: line?.condition ?? ""),
        resolution: choices.id("resolution", code: "REFUND"), status: "pending")
    }
    let time = now()
    try await update(record) { $0.attemptedAt = time }
    do {
      try await shop.create(
        .init(
          orderId: order.entityID, orderIncrementId: order.incrementID, storeId: shopOrder.storeID,
          customerId: shopOrder.customerID, dateRequested: ShopTime.text(time / 1_000_000_000), status: "pending",
          items: items, comments: [.init(comment: ShopReturn.mark(record.rma), admin: true)]))
    } catch let error as CommerceError where error.mayHaveHadEffect {
      return .unsettled(options.settleTime, "\(error); it may have been made all the same")
    } catch {
      try await update(record) { $0.attemptedAt = 0 }
      throw error
    }
    Log.info("return made in the shop", ["rma": "\(record.rma)", "order": "\(record.incrementID)"])
    return .asked
  }

  // MARK: Steps

  private func moveOn(_ made: ShopReturn, _ record: ReturnRecord, _ order: KnownOrder) async throws {
    let units = ReturnedUnits(record: record, order: order)
    let changes = made.rma.items.compactMap { item -> Magento.Commerce.V1.RmaItem? in
      let lines = record.lines.filter { line in
        (order.line(line.number)?.itemID ?? line.itemID) == item.orderItemId
      }
      return Self.change(
        of: item,
        to: lines.compactMap { line in record.itemStatus(of: line).map { ($0, units.quantity(of: line)) } })
    }
    if !changes.isEmpty { try await shop.change(made.rma.entityId, changes) }
  }

  /// Forward only, and quantities with it: requested, authorised, returned, approved, each at most the one before.
  ///
  /// - Parameter lines: of the return that are this item, with their units; none leaves it as it is.
  static func change(
    of item: Magento.Commerce.V1.RmaItem, to lines: [(status: ReturnItemStatus, units: Decimal)]
  ) -> Magento.Commerce.V1.RmaItem? {
    let statuses = lines.map(\.status)
    guard let least = statuses.min(), let current = ReturnItemStatus(rawValue: item.status), !current.isFinal else {
      return nil
    }
    // Units of one item may end differently; the item is approved then, with as many as were.
    let approved = lines.filter { $0.status == .approved }
    let target = least.isFinal && !approved.isEmpty ? .approved : least
    guard target > current else { return nil }
    let quantity = item.qtyRequested
    var change = Magento.Commerce.V1.RmaItem(entityId: item.entityId, status: target.rawValue)
    change.orderItemId = item.orderItemId
    if target >= .authorized && target <= .approved { change.qtyAuthorized = quantity }
    if target == .received || target == .approved { change.qtyReturned = quantity }
    if target == .approved {
      let units = min(approved.map(\.units).sum(), Self.quantity(item))
      change.qtyApproved = approved.count == lines.count ? quantity : units.message
    }
    return change
  }

  private func track(_ made: ShopReturn, _ record: ReturnRecord) async throws {
    let number = record.tracking.number
    guard !number.isEmpty, !made.rma.tracks.contains(where: { $0.trackNumber == number }) else { return }
    let carrier = record.tracking.carrier
    try await shop.add(
      .init(
        rmaEntityId: made.rma.entityId, trackNumber: number, carrierTitle: carrier.isEmpty ? "Carrier" : carrier,
        carrierCode: "custom"), to: made.rma.entityId)
  }

  /// Characters of a comment (connector.md §2.10).
  static let commentLimit = 1_000

  private func comment(_ made: ShopReturn, _ record: ReturnRecord) async throws {
    let mark = ShopReturn.mark(record.rma)
    let reason = record.omsReason.isEmpty ? "" : " (\(record.omsReason))"
    // What is said last of each, so that what is again what it was is said again.
    let tracking = "\(mark): tracking "
    func attribute(_ name: String) -> String { "\(mark): \(name) = " }
    var texts: [(text: String, isOfKind: (String) -> Bool)] = []
    if !record.omsStatus.isEmpty {
      let others = [tracking] + record.attributes.map { attribute($0.name) }
      texts.append(
        (
          "\(mark): \(record.omsStatus)\(reason)",
          { said in said.hasPrefix("\(mark): ") && !others.contains(where: said.hasPrefix) }
        ))
    }
    if !record.tracking.url.isEmpty { texts.append((tracking + record.tracking.url, { $0.hasPrefix(tracking) })) }
    for each in record.attributes {
      let name = attribute(each.name)
      texts.append((name + each.value, { $0.hasPrefix(name) }))
    }
    for (text, isOfKind) in texts {
      let text = String(text.prefix(Self.commentLimit))
      if made.comments.last(where: isOfKind) != text { try await shop.comment(text, on: made.rma.entityId) }
    }
  }

  // MARK: -

  static func quantity(_ item: Magento.Commerce.V1.RmaItem) -> Decimal {
    item.qtyRequested.flatMap { Decimal($0) } ?? 0
  }

  private func waits(_ record: ReturnRecord, _ item: WorkItem, _ reason: String) async throws -> WorkOutcome {
    // Each wait begins the queue's time anew; what the OMS has said stays. Its clock is not trusted to be behind ours.
    let since = record.statusAt == 0 ? item.addedAt : min(record.statusAt, item.addedAt)
    if now() - since > RefundWork.patience { return try await attention(record, reason) }
    try await update(record) { $0.reason = reason }
    return .again(after: RefundWork.pause(item), reason: reason)
  }

  /// It was asked for, and is not there yet; a shop that fails each time is an operator's.
  private func unsettled(
    _ record: ReturnRecord, _ item: WorkItem, _ after: Duration, _ reason: String
  ) async throws -> WorkOutcome {
    if now() - item.addedAt > RefundWork.patience { return try await attention(record, reason) }
    try await update(record) { $0.reason = reason }
    return .unsettled(after: after, reason: reason)
  }

  private func attention(_ record: ReturnRecord, _ reason: String) async throws -> WorkOutcome {
    try await update(record) { ($0.reason, $0.needsAttention) = (reason, true) }
    Log.error(
      "return needs an operator", ["rma": "\(record.rma)", "order": "\(record.incrementID)", "reason": "\(reason)"])
    return .done
  }

  /// Changes what the store has of a return; messages may have changed it meanwhile.
  private func update(
    _ record: ReturnRecord, _ change: @escaping @Sendable (inout ReturnRecord) -> Void
  ) async throws {
    let store = store
    try await database.write(weight: 2 + record.lines.count, key: record.incrementID) { connection in
      var current = try store.find(key: record.key, connection) ?? record
      let before = current
      change(&current)
      if current != before { try store.save(current, connection) }
    }
  }
}
