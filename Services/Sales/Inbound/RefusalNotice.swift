import Commerce
import Messages
import RPC
import ServiceKit
import Storage

/// `error_management.created`: the OMS, or somebody on the bus, could not use a message. When it is an order of ours, its export
/// has failed; the order stays (magento-rules.md §6, "Rejected by the OMS").
struct RefusalNotice: LedgerChange {
  let incrementID = ""
  private let notice: Magento.Oms.V1.ErrorNotice

  var weight: Int { 2 }

  init(_ body: [UInt8]) throws {
    notice = try Magento.Oms.V1.ErrorNotice(json: body)
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    let reason = "the OMS refused it: \(notice.message.prefix(1_000))"
    guard let order = try store.markFailed(connection, deliveryID: notice.deliveryId, reason: reason) else {
      return "not about an order of this connector: \(quotable(notice.topic))"
    }
    if order.entityID != 0, order.exportState == .failed {
      try store.addComment(connection, of: order.incrementID, order.exportFailed(reason))
      try store.orderQueue.add(connection, order.incrementID)
      Log.error(
        "the OMS refused an order", ["order": "\(order.incrementID)", "reason": "\(notice.message.prefix(200))"])
    }
    return "export of order \(order.incrementID) failed"
  }
}

extension SalesOrder {
  /// What is said of it in the shop: once for each time that it was sent.
  func exportFailed(_ reason: String) -> String {
    let text = "OMS: export failed, \(reason)"
    guard let sentAt else { return text }
    return "\(text.prefix(SalesStore.commentCharacters - 60)); it was sent \(ShopTime.text(sentAt / 1_000_000_000)) UTC"
  }
}
