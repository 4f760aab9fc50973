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
      try store.addComment(connection, of: order.incrementID, "OMS: export failed, \(reason)")
      try store.orderQueue.add(connection, order.incrementID)
      Log.error(
        "the OMS refused an order", ["order": "\(order.incrementID)", "reason": "\(notice.message.prefix(200))"])
    }
    return "export of order \(order.incrementID) failed"
  }
}
