import Messages
import RPC
import ServiceKit
import Storage

/// `order_management.line_cancelled`. The id it names may stand for several lines: then the order's next update says which, and
/// this one changes nothing (messages.md §4.5).
struct LineCancellation: LedgerChange {
  let incrementID: String
  let lineID: String

  var weight: Int { 3 }

  init(_ body: [UInt8]) throws {
    let message = try Magento.Oms.V1.OrderLineCancelled(json: body)
    try OrderLimits.check(id: message.orderId, field: "order_id")
    if message.orderLineId.isEmpty {
      throw RPCError.invalid(field: "order_line_id", "order_line_id is missing; send the line's id")
    }
    incrementID = message.orderId
    lineID = message.orderLineId
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    guard let order = try store.order(connection, incrementID) else { throw RPCError.noOrder(incrementID) }
    let lines = try store.lines(connection, of: incrementID)
    let named = lines.filter { "\($0.itemID)" == lineID && $0.itemID != 0 && $0.kind != .bundle }
    if named.isEmpty {
      throw RPCError.invalid(
        field: "order_line_id", "order \(quotable(incrementID)) has no line with the id \"\(quotable(lineID))\"")
    }
    let open = named.filter { $0.cancelledAt == nil && $0.shippedAt == nil }
    guard named.count == 1 else {
      return "\(named.count) lines have the id \(lineID): the order's next update says which"
    }
    guard var line = open.first else { return "line \(named[0].number) has ended already" }
    line.cancelledAt = now
    line.status = "CANCELLED"
    try store.save(connection, [line], of: incrementID)
    if order.entityID != 0 { try store.addComment(connection, of: incrementID, Self.comment(line)) }
    return "line \(line.number) cancelled"
  }

  /// What is said of it in the shop.
  static func comment(_ line: SalesLine) -> String {
    let text =
      "OMS: line \(line.number) cancelled: \(line.unshipped == 1 ? "" : "\(line.unshipped) × ")\(line.name) (\(line.sku))"
    // One that has left after all may be cancelled again.
    return line.cancelledAt.map { SalesStore.dated(text, $0) } ?? text
  }
}
