import Commerce
import Messages
import RPC
import ServiceKit
import Storage

/// Asks the OMS to authorise a return that a customer or a clerk has asked for in the shop, once.
struct AuthorizeReturn: Sendable {
  static let authorize = "magento.postsales.return_management.authorize"
  /// Returns of the shop that are to be authorised; keys are their entity ids.
  static let queue = WorkQueue(kind: "authorize return")

  let database: Database
  let outbox: Outbox
  /// nil without a shop.
  let shop: (any ReturnShop)?
  let orders: any OrderBook
  let mapping: Mapping
  let store = ReturnStore()
  /// Told when messages have been added.
  let added: @Sendable () -> Void
  /// Nanoseconds since 1970.
  var now: @Sendable () -> Int64 = { WallClock.nanoseconds() }

  /// - Throws: `RPCError`: NOT_FOUND, FAILED_PRECONDITION when it can't be asked for, UNAVAILABLE.
  func callAsFunction(_ entityID: Int64) async throws -> ReturnRecord {
    let store = store
    if let known = try await database.read({ try store.find(entityID: entityID, $0) }), known.isAsked { return known }
    guard let shop else {
      throw RPCError(.failedPrecondition, "there is no shop to read the return from; set COMMERCE_URL")
    }
    let (made, choices) = try await read(entityID, shop)
    guard let order = try await orders.order(made.rma.orderIncrementId), order.isWithOMS else {
      throw RPCError(
        .failedPrecondition,
        "order \(made.rma.orderIncrementId) of return \(entityID) was not exported; the OMS knows nothing to return")
    }
    let names = mapping.attributes(of: .returned)
    let (outbox, now) = (outbox, now())
    let record = try await database.write(weight: 2 + made.rma.items.count, key: order.incrementID) {
      connection -> ReturnRecord in
      // Who else has read it may have been faster.
      if let known = try store.find(entityID: entityID, connection), known.isAsked { return known }
      let others = try store.returns(ofOrder: order.incrementID, connection)
      var record = try Self.record(made, order, others, choices, now: now)
      record.attributes = names.compactMap { name in
        made.attributes.first { $0.name == name.source }.map { Attribute(name: name.name, value: $0.value) }
      }
      record.deliveryID = try outbox.add(connection, try Self.message(record, made, order, choices))
      try store.save(record, connection)
      // What was parked before somebody asked by hand is looked at once more, and done.
      let key = "\(entityID)"
      if try Self.queue.waiting(connection, key)?.isParked == true { try Self.queue.add(connection, key) }
      return record
    }
    added()
    return record
  }

  private func read(_ entityID: Int64, _ shop: any ReturnShop) async throws -> (ShopReturn, ReturnOptions) {
    do {
      guard try await shop.hasReturns() else {
        throw RPCError(.failedPrecondition, "the shop has no returns: Magento_Rma is not among its modules")
      }
      guard let made = try await shop.find(entityID) else {
        throw RPCError(.notFound, "the shop has no return \(entityID)")
      }
      let store = store
      guard try await !database.read({ try store.hasMade(made, $0) }) else {
        throw RPCError(.failedPrecondition, "return \(entityID) was made for the OMS, which knows it")
      }
      return (made, try await shop.options())
    } catch let error as CommerceError {
      throw RPCError(error.mayPass ? .unavailable : .internalError, "\(error)", cause: error)
    }
  }

  /// Of one item.
  static let unitLimit = 10_000

  /// Each unit becomes an entry of a line of the order: shipped ones first, never one that is being returned already.
  private static func record(
    _ made: ShopReturn, _ order: KnownOrder, _ others: [ReturnRecord], _ choices: ReturnOptions, now: Int64
  ) throws(RPCError) -> ReturnRecord {
    var record = ReturnRecord(
      key: "shop \(made.rma.entityId)", incrementID: order.incrementID, state: .requested,
      createdAt: now)
    record.entityID = made.rma.entityId
    record.shopNumber = made.rma.incrementId
    var left = unitsLeft(order, others)
    for item in made.rma.items where item.status != "denied" {
      let reason = choices.label("reason", item.reason)?.code ?? item.reason
      let condition = choices.label("condition", item.condition)?.code ?? item.condition
      record.lines += try take(ReturnWork.quantity(item), of: item.orderItemId, of: made, order, &left).map {
        .init(
          number: $0.line.number, itemID: item.orderItemId, sku: $0.line.sku, reason: reason, condition: condition,
          quantity: $0.units)
      }
    }
    return record
  }

  /// By line number, what of the order is not being returned yet.
  private static func unitsLeft(_ order: KnownOrder, _ others: [ReturnRecord]) -> [Int: Decimal] {
    var left = Dictionary(
      order.lines.filter { $0.isProduct && !$0.isCancelled }.map { ($0.number, $0.quantity) }
    ) { first, _ in first }
    for other in others {
      var open = other
      open.lines = other.lines.filter { line in other.itemStatus(of: line).map { $0 < .rejected } ?? true }
      for (number, units) in ReturnedUnits(record: open, order: order).byLine { left[number]? -= units }
    }
    return left
  }

  /// An entry has no quantity: of a line with many units as many entries as come back, of one that can't be counted in units only
  /// all of it.
  private static func take(
    _ wanted: Decimal, of itemID: Int64, of made: ShopReturn, _ order: KnownOrder, _ left: inout [Int: Decimal]
  ) throws(RPCError) -> [(line: KnownOrder.Line, units: Decimal)] {
    func refusal(_ problem: String) -> RPCError {
      RPCError(
        .failedPrecondition, "return \(made.rma.entityId) is of \(wanted) units of item \(itemID); \(problem)")
    }
    guard wanted > 0, wanted <= Decimal(unitLimit) else { throw refusal("1 to \(unitLimit) can be returned at once") }
    let lines = order.lines.filter { $0.itemID == itemID && left[$0.number, default: 0] > 0 }
      .sorted { ($0.isShipped ? 0 : 1, $0.number) < ($1.isShipped ? 0 : 1, $1.number) }
    var missing = wanted
    var taken: [(line: KnownOrder.Line, units: Decimal)] = []
    for line in lines where missing > 0 {
      let units = min(missing, left[line.number, default: 0])
      if let count = units.integer, line.quantity.integer != nil {
        taken += Array(repeating: (line, 1), count: count)
      } else if units == line.quantity {
        taken.append((line, units))
      } else {
        throw refusal(
          "line \(line.number) of order \(order.incrementID) has \(line.quantity), which the OMS takes back as a whole only: "
            + "let the return be of all of it, or have it made at the OMS")
      }
      left[line.number, default: 0] -= units
      missing -= units
    }
    guard missing.isZero else {
      throw refusal("of order \(order.incrementID) \(wanted - missing) are left to return")
    }
    return taken
  }

  private static func message(
    _ record: ReturnRecord, _ made: ShopReturn, _ order: KnownOrder, _ choices: ReturnOptions
  ) throws -> OutboxMessage {
    let items = Dictionary(made.rma.items.map { ($0.orderItemId, $0) }) { first, _ in first }
    let requested = made.rma.dateRequested.replacing(" ", with: "T")
    let message = Magento.Oms.V1.ReturnMessage(
      return: .init(
        salesChannelId: order.salesChannel, orderId: order.incrementID, sourceId: "", user: "shop",
        rma: record.shopNumber, returnTrackingNumber: made.rma.tracks.first?.trackNumber ?? "",
        returnTrackingUrl: "", returnTrackingLabelUrl: "",
        returnTrackingCarrier: made.rma.tracks.first?.carrierTitle ?? "",
        originDate: requested.isEmpty ? "" : "\(requested)+00:00",
        customAttributes: record.attributes.map { .init(name: $0.name, attributeCode: $0.name, value: $0.value) },
        lines: record.lines.map { line in
          let item = items[line.itemID]
          return .init(
            id: "\(line.itemID)", lineNumber: Int32(clamping: line.number), sku: line.sku, reason: line.reason,
            reasonDescription: choices.label("reason", item?.reason ?? "")?.label ?? line.reason,
            condition: line.condition,
            conditionDescription: choices.label("condition", item?.condition ?? "")?.label ?? line.condition)
        }))
    return OutboxMessage(
      method: authorize, key: order.incrementID, route: .delegate, body: Array(message.json().utf8))
  }
}
