import Commerce
import Storage

/// What the shop has to do for orders, and has done. See ``SalesStore`` about connections.
extension SalesStore {
  /// The order as the shop is to follow it; nil when there is none in the shop, or it was never sent.
  func ledger(_ connection: Connection, _ incrementID: String, _ mapping: Mapping) throws -> FulfilmentLedger? {
    guard let order = try order(connection, incrementID), order.entityID != 0, order.exportState != .held else {
      return nil
    }
    let model = order.captureModel ?? .offlineCaptured
    return FulfilmentLedger(
      incrementID: incrementID, entityID: order.entityID, isWithOMS: order.exportState == .accepted,
      website: order.website, channel: order.channel,
      payment: mapping.payments[order.paymentMethod] ?? .init(model: model), createdAt: order.createdAt,
      status: OrderStatus(code: order.omsStatus, reason: order.omsStatusReason), statusAt: order.omsStatusAt ?? 0,
      statusReceivedAt: order.omsStatusReceivedAt ?? order.omsStatusAt ?? 0,
      lines: try lines(connection, of: incrementID).map { FulfilmentLedger.Line($0) },
      shipments: try parcels(connection, of: incrementID), comments: try comments(connection, of: incrementID))
  }
}

extension FulfilmentLedger.Line {
  init(_ line: SalesLine) {
    self.init(
      number: line.number, gross: line.gross, itemID: line.itemID == 0 ? nil : line.itemID,
      parent: line.parent == 0 ? nil : line.parent,
      sku: line.sku, kind: line.kind, quantity: line.quantity, shipsTogether: line.shipsTogether,
      shipped: line.shipped, isCancelled: line.cancelledAt != nil,
      isSaidShipped: line.status == "SHIPPED")
  }
}
