import Messages
import RPC
import ServiceKit
import Storage

/// Tells the OMS of custom attributes of a return, of a line of it, or of a refund (connector.md §2.13).
struct SetAttributes: Sendable {
  /// messages.md §3, by analogy with those of orders.
  static let ofReturn = "magento.postsales.return_management.update_custom_attributes"
  static let ofLine = "magento.postsales.return_management.update_line_custom_attributes"
  static let ofRefund = "magento.postsales.refund_management.update_custom_attributes"
  /// In one request.
  static let limit = 200
  /// Bytes of a name, and of a value.
  static let bytes = (name: 255, value: 8_192)

  let database: Database
  let outbox: Outbox
  let orders: any OrderBook
  /// Told when messages have been added.
  let added: @Sendable () -> Void

  /// - Parameter request: its `rma` is a return's, or a refund's credit note number.
  /// - Returns: the message's id in the gateway's journal.
  func callAsFunction(_ request: Omsconnector.V1.SetReturnAttributesRequest) async throws -> String {
    try PostSalesError.check(request.rma, "rma")
    try check(request)
    let id = request.rma
    let found = try await database.read { connection in
      (try ReturnStore().find(rma: id, connection), try RefundStore().refund(id, connection))
    }
    let (returned, refund) = found
    guard let incrementID = returned?.incrementID ?? refund?.incrementID else {
      throw RPCError(.notFound, "no return and no refund \"\(quotable(id))\" is known; see ListReturns and ListRefunds")
    }
    guard let order = try await orders.order(incrementID) else {
      throw RPCError(.failedPrecondition, "order \(incrementID) was not exported; its sales channel is not known")
    }
    let line = returned?.lines.first { $0.number == Int(request.lineNumber) }
    if request.lineNumber != 0, line == nil {
      throw RPCError.invalid(field: "line_number", "line_number \(request.lineNumber) is no line of \(quotable(id))")
    }
    let message = message(request, order, line, isRefund: returned == nil)
    let outbox = outbox
    let deliveryID = try await database.write(weight: 2, key: incrementID) { try outbox.add($0, message) }
    added()
    return deliveryID
  }

  private func check(_ request: Omsconnector.V1.SetReturnAttributesRequest) throws(RPCError) {
    guard (1...Self.limit).contains(request.attributes.count) else {
      throw .invalid(field: "attributes", "\(request.attributes.count) attributes; send 1 to \(Self.limit)")
    }
    for (index, attribute) in request.attributes.enumerated() {
      if attribute.name.isEmpty || attribute.name.utf8.count > Self.bytes.name
        || attribute.value.utf8.count > Self.bytes.value
      {
        throw .invalid(
          field: "attributes[\(index)]",
          "attributes[\(index)]: a name has 1 to \(Self.bytes.name) bytes, a value at most \(Self.bytes.value)")
      }
    }
  }

  private func message(
    _ request: Omsconnector.V1.SetReturnAttributesRequest, _ order: KnownOrder, _ line: ReturnRecord.Line?,
    isRefund: Bool
  ) -> OutboxMessage {
    // Definitions say name, receivers read attribute_code: both.
    let attributes = request.attributes.map { attribute in
      let name = JSONText.quoted(attribute.name)
      return #"{"name":\#(name),"attribute_code":\#(name),"value":\#(JSONText.quoted(attribute.value))}"#
    }
    let own = isRefund ? "credit_note_number" : "rma"
    let ofLine = line.map { #","line_id":"\#($0.itemID)","line_number":"\#($0.number)""# } ?? ""
    let wrapper = line == nil ? "custom_attributes_modification" : "line_custom_attributes_modification"
    let user = JSONText.quoted(request.user.isEmpty ? "connector" : request.user)
    let body =
      #"{"\#(wrapper)":{"sales_channel_id":\#(JSONText.quoted(order.salesChannel)),"#
      + #""order_id":\#(JSONText.quoted(order.incrementID)),"\#(own)":\#(JSONText.quoted(request.rma)),"user":\#(user)"#
      + #"\#(ofLine),"custom_attributes":[\#(attributes.joined(separator: ","))]}}"#
    let method = isRefund ? Self.ofRefund : line == nil ? Self.ofReturn : Self.ofLine
    return OutboxMessage(method: method, key: order.incrementID, route: .delegate, body: Array(body.utf8))
  }
}
