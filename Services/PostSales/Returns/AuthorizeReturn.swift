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

  /// - Throws: `RPCError`: NOT_FOUND, FAILED_PRECONDITION when it can't be asked for, UNAVAILABLE.
  func callAsFunction(_ entityID: Int64) async throws -> ReturnRecord {
    let store = store
    if let known = try await database.read({ try store.find(entityID: entityID, $0) }) { return known }
    guard let shop else {
      throw RPCError(.failedPrecondition, "there is no shop to read the return from; set COMMERCE_URL")
    }
    let (made, choices) = try await read(entityID, shop)
    guard let order = try await orders.order(made.rma.orderIncrementId) else {
      throw RPCError(
        .failedPrecondition,
        "order \(made.rma.orderIncrementId) of return \(entityID) was not exported; the OMS knows nothing to return")
    }
    let names = mapping.attributes(of: .returned)
    let outbox = outbox
    let record = try await database.write(weight: 2 + made.rma.items.count, key: order.incrementID) {
      connection -> ReturnRecord in
      // Who else has read it may have been faster.
      if let known = try store.find(entityID: entityID, connection) { return known }
      let others = try store.returns(ofOrder: order.incrementID, connection)
      var record = try Self.record(made, order, others, choices)
      record.attributes = names.compactMap { name in
        made.attributes.first { $0.name == name.source }.map { Attribute(name: name.name, value: $0.value) }
      }
      record.deliveryID = try outbox.add(connection, try Self.message(record, made, order, choices))
      try store.save(record, connection)
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
      guard !made.isMadeHere else {
        throw RPCError(.failedPrecondition, "return \(entityID) was made for the OMS, which knows it")
      }
      return (made, try await shop.options())
    } catch let error as CommerceError {
      throw RPCError(error.mayPass ? .unavailable : .internalError, "\(error)", cause: error)
    }
  }

  /// Of one item.
  static let unitLimit = 10_000

  /// Each unit becomes one line of the order: shipped ones first, never one that is being returned already.
  private static func record(
    _ made: ShopReturn, _ order: KnownOrder, _ others: [ReturnRecord], _ choices: ReturnOptions
  ) throws(RPCError) -> ReturnRecord {
    let taken = Set(
      others.flatMap { other in
        other.lines.filter { line in other.itemStatus(of: line).map { $0 < .rejected } ?? true }.map(\.number)
      })
    var record = ReturnRecord(
      key: "shop \(made.rma.entityId)", incrementID: order.incrementID, state: .requested,
      createdAt: WallClock.nanoseconds())
    record.entityID = made.rma.entityId
    record.shopNumber = made.rma.incrementId
    for item in made.rma.items where item.status != "denied" {
      let count = ReturnWork.quantity(item).integer ?? 1
      guard (1...unitLimit).contains(count) else {
        throw RPCError(
          .failedPrecondition,
          "return \(made.rma.entityId) is of \(count) units of item \(item.orderItemId); 1 to \(unitLimit) can be returned at once"
        )
      }
      let lines = order.lines.filter { line in
        line.itemID == item.orderItemId && line.isProduct && !line.isCancelled && !taken.contains(line.number)
          && !record.numbers.contains(line.number)
      }.sorted { ($0.isShipped ? 0 : 1, $0.number) < ($1.isShipped ? 0 : 1, $1.number) }
      let units = lines.flatMap { Array(repeating: $0, count: min(max($0.quantity.integer ?? 1, 1), count)) }
      guard units.count >= count else {
        throw RPCError(
          .failedPrecondition,
          "return \(made.rma.entityId) is of \(count) units of item \(item.orderItemId); of order \(order.incrementID) "
            + "\(units.count) are left to return")
      }
      record.lines += units.prefix(count).map {
        .init(
          number: $0.number, itemID: item.orderItemId, sku: $0.sku,
          reason: choices.label("reason", item.reason)?.code ?? item.reason,
          condition: choices.label("condition", item.condition)?.code ?? item.condition)
      }
    }
    return record
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
