import Messages
import ServiceKit
import Storage

/// What of an order is written in one transaction.
extension ExportOrders {
  func commit(_ draft: OrderDraft, _ shopOrder: ShopOrder, _ occasion: Occasion) async throws -> Outcome {
    let (store, pause) = (store, firstPause)
    let weight = 2 + draft.lines.count + (draft.body?.count ?? 0) / 1_024
    return try await store.database.write(weight: weight, key: shopOrder.incrementID) { connection in
      var known = try store.order(connection, shopOrder.incrementID)
      guard occasion.sends(known, digest: shopOrder.digest) else {
        return try Self.note(shopOrder, known, store, connection)
      }
      if shopOrder.isOver, known?.exportState != .unconfirmed {
        if let known, known.exportState != .foreign { try store.remove(connection, shopOrder.incrementID) }
        return .over(state: shopOrder.message.state)
      }
      if known?.exportState == .foreign {
        // The number is the shop's: what was noted of the other order goes.
        try store.remove(connection, shopOrder.incrementID)
        known = nil
      }
      var draft = draft
      draft.keep(known)
      // One that could not be read when it was seen has no content, and nothing has followed from it yet.
      let isFirst = try known == nil || store.content(connection, of: shopOrder.incrementID) == nil
      if isFirst { try Self.cancelReplaced(by: draft.order, store, connection) }
      if let body = draft.body {
        draft.order.exportState = .sent
        draft.order.sentAt = WallClock.nanoseconds()
        draft.order.deliveryID = try store.outbox.add(
          connection,
          OutboxMessage(method: Self.create, key: shopOrder.incrementID, route: .delegate, body: body))
      } else if draft.order.exportState == .held, occasion != .due {
        // One that is due is put back by who works on it.
        try store.exportQueue.add(connection, shopOrder.incrementID, after: pause)
      }
      try store.save(connection, draft.order)
      try store.replaceLines(connection, of: shopOrder.incrementID, with: draft.lines)
      try store.saveContent(connection, of: shopOrder.incrementID, draft.content)
      // Its units are sold in the shop, and not known to the OMS yet.
      if isFirst { try StockPushRequest.queue.add(connection, shopOrder.incrementID) }
      return draft.body == nil ? .held(draft.order) : .sent(draft.order)
    }
  }

  /// An order that was sent has changed in the shop: its shop side is looked at. One that the OMS has refused, and the shop has ended,
  /// is forgotten.
  private static func note(
    _ shopOrder: ShopOrder, _ known: SalesOrder?, _ store: SalesStore, _ connection: Connection
  ) throws -> Outcome {
    guard var known else { return .over(state: shopOrder.message.state) }
    guard known.shopDigest != shopOrder.digest else { return .known(known) }
    if known.exportState == .failed, shopOrder.isOver {
      try store.remove(connection, known.incrementID)
      return .over(state: shopOrder.message.state)
    }
    known.shopDigest = shopOrder.digest
    if known.exportState == .foreign {
      if !shopOrder.isOver { attend(&known, shopOrder) }
      try store.save(connection, known)
      return .known(known)
    }
    try store.save(connection, known)
    if known.exportState.isWithOMS { try store.orderQueue.add(connection, known.incrementID) }
    return .known(known)
  }

  /// An exchange or a reshipment of the OMS that has the number of an order of the shop: one of the two is lost without somebody.
  private static func attend(_ foreign: inout SalesOrder, _ shopOrder: ShopOrder) {
    let id = foreign.incrementID
    foreign.attention =
      "the OMS has told of an order of this number, made for order \(foreign.originalOrderID), and the shop has one, entity "
      + "\(shopOrder.message.entityId), which is not sent: ask the OMS which it has, then send the shop's in its place with "
      + "omsctl orders export \(id), or leave it with omsctl orders resume \(id)"
    Log.error(
      "the shop has an order of a number that the OMS has given to another",
      ["order": "\(id)", "original": "\(quotable(foreign.originalOrderID))"])
  }

  /// An order that an administrator has edited is cancelled in the shop, and a new one with another number takes its place
  /// (magento-rules.md §6, "Customer edits"): the OMS is asked to cancel the one that it has, whether or not the new one can be sent
  /// already. Otherwise both would be shipped.
  private static func cancelReplaced(by order: SalesOrder, _ store: SalesStore, _ connection: Connection) throws {
    guard !order.originalOrderID.isEmpty, let replaced = try store.order(connection, order.originalOrderID),
      [.sent, .accepted, .unconfirmed].contains(replaced.exportState)
    else { return }
    let message = Magento.Oms.V1.OrderCancel(
      orderId: replaced.incrementID, salesChannelId: replaced.channel, user: "replaced by \(order.incrementID)")
    try store.outbox.add(
      connection,
      OutboxMessage(
        method: cancel, key: replaced.incrementID, route: .delegate, body: Array(message.json().utf8)))
  }
}

extension OrderDraft {
  /// What of the row that is there stays.
  fileprivate mutating func keep(_ known: SalesOrder?) {
    guard let known else { return }
    order.attention = known.attention
    (order.omsStatus, order.omsStatusReason, order.omsStatusAt) = (
      known.omsStatus, known.omsStatusReason, known.omsStatusAt
    )
    order.omsStatusReceivedAt = known.omsStatusReceivedAt
    (order.sentAt, order.deliveryID) = (known.sentAt, known.deliveryID)
    // The OMS may have it: it is not held as if it were ours alone.
    if body == nil, known.exportState == .unconfirmed {
      order.exportState = .unconfirmed
      order.reason = "not confirmed, and can't be sent again: \(order.reason)"
    }
  }
}
