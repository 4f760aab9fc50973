import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What the shop's side asks of the OMS about an order.
extension SalesService {
  /// Who asks, when the client does not say.
  static let defaultUser = "shop"

  func cancelOrder(_ request: V1.CancelOrderRequest, context: ServerContext) async throws -> V1.CancelOrderResponse {
    let user = try Self.user(request.user)
    try Self.checkLength(request.reason, "reason")
    guard request.lineNumber != 0 else {
      return .init(
        deliveryId: try await send(request.incrementId) { order, _ in
          try Self.checkNotEnded(order)
          return [
            OrderCommand(
              OrderCommand.cancel,
              Magento.Oms.V1.OrderCancel(orderId: order.incrementID, salesChannelId: order.channel, user: user))
          ]
        })
    }
    try Self.check(request.reason, "reason")
    return .init(
      deliveryId: try await send(request.incrementId) { order, lines in
        let line = try Self.line(request.lineNumber, of: order, lines)
        try Self.checkCancellable(line, order)
        return [
          OrderCommand(
            OrderCommand.cancelLine,
            Magento.Oms.V1.OrderCancelLine(
              orderId: order.incrementID, salesChannelId: order.channel, lineNumber: request.lineNumber,
              reason: request.reason, user: user))
        ]
      })
  }

  func commentOrder(_ request: V1.CommentOrderRequest, context: ServerContext) async throws -> V1.CommentOrderResponse {
    let user = try Self.user(request.user)
    try Self.check(request.comment, "comment", limit: Self.textBytes)
    let delivery = try Self.delivery(of: request, context, id: request.requestId)
    return .init(
      deliveryId: try await send(request.incrementId, request: delivery) { order, _ in
        [
          OrderCommand(
            OrderCommand.comment,
            Magento.Oms.V1.OrderCreateComment(
              orderComment: .init(
                orderId: order.incrementID, salesChannelId: order.channel, createdDate: Self.now(), user: user,
                comment: request.comment)))
        ]
      })
  }

  func setOrderAttributes(
    _ request: V1.SetOrderAttributesRequest, context: ServerContext
  ) async throws -> V1.SetOrderAttributesResponse {
    let user = try Self.user(request.user)
    let attributes = try Self.attributes(request.attributes)
    return .init(
      deliveryId: try await send(request.incrementId) { order, lines in
        guard request.lineNumber != 0 else {
          return [
            OrderCommand(
              OrderCommand.setAttributes,
              Magento.Oms.V1.OrderCustomAttributes(
                customAttributesModification: .init(
                  salesChannelId: order.channel, orderId: order.incrementID, user: user,
                  customAttributes: attributes)))
          ]
        }
        let line = try Self.line(request.lineNumber, of: order, lines)
        return [
          OrderCommand(
            OrderCommand.setLineAttributes,
            Magento.Oms.V1.OrderLineCustomAttributes(
              lineCustomAttributesModification: .init(
                salesChannelId: order.channel, orderId: order.incrementID, user: user, customAttributes: attributes,
                lineId: line.omsID, lineNumber: "\(line.number)")))
        ]
      })
  }

  /// The OMS keeps addresses by line: every line that is still to be sent gets the new one.
  func updateShippingAddress(
    _ request: V1.UpdateShippingAddressRequest, context: ServerContext
  ) async throws -> V1.UpdateShippingAddressResponse {
    let user = try Self.user(request.user)
    let address = try Magento.Oms.V1.Address(request.address)
    return .init(
      deliveryId: try await send(request.incrementId) { order, lines in
        let open = lines.filter { $0.kind == .physical && $0.shippedAt == nil && $0.cancelledAt == nil }
        guard !open.isEmpty else {
          throw RPCError.precondition(
            "NOTHING_TO_SHIP", "order \(order.incrementID) has nothing left to be shipped; its address stays")
        }
        return open.map { line in
          OrderCommand(
            OrderCommand.setShippingAddress,
            Magento.Oms.V1.OrderShippingAddress(
              shippingAddressModification: .init(
                salesChannelId: order.channel, orderId: order.incrementID, lineNumber: "\(line.number)", user: user,
                force: request.force, newShippingAddress: address)))
        }
      })
  }

  // MARK: -

  private static func user(_ name: String) throws(RPCError) -> String {
    try checkLength(name, "user")
    return name.isEmpty ? defaultUser : name
  }

  /// ISO 8601 with an offset, as the bus writes times.
  static func now() -> String {
    let now = WallClock.nanoseconds() / 1_000_000_000
    return Google.Protobuf.Timestamp(seconds: now).text.dropLast() + "+00:00"
  }

  private static func attributes(
    _ attributes: [V1.OrderAttribute]
  ) throws(RPCError) -> [Magento.Oms.V1.CustomAttribute] {
    guard (1...100).contains(attributes.count) else {
      throw .invalid(field: "attributes", "attributes has \(attributes.count) of them; send 1 to 100")
    }
    var messages: [Magento.Oms.V1.CustomAttribute] = []
    for (index, attribute) in attributes.enumerated() {
      try check(attribute.name, "attributes[\(index)].name")
      try checkLength(attribute.value, "attributes[\(index)].value", limit: textBytes)
      messages.append(ExportableOrder.attribute(name: attribute.name, value: attribute.value))
    }
    return messages
  }

  private static func checkNotEnded(_ order: SalesOrder) throws(RPCError) {
    if ["CANCELLED", "COMPLETE"].contains(order.omsStatus.uppercased()) {
      throw .precondition(
        "ORDER_HAS_ENDED", "order \(order.incrementID) is \(order.omsStatus) at the OMS; it can't be cancelled any more"
      )
    }
  }

  private static func checkCancellable(_ line: SalesLine, _ order: SalesOrder) throws(RPCError) {
    // connector.md §4: never for shipping lines alone.
    if line.kind == .shipping {
      throw .precondition(
        "LINE_IS_SHIPPING",
        "line \(line.number) of order \(order.incrementID) is its shipping, which is not cancelled alone; "
          + "cancel the lines that are shipped, or the order")
    }
    if line.shippedAt != nil || line.cancelledAt != nil {
      throw .precondition(
        "LINE_HAS_ENDED",
        "line \(line.number) of order \(order.incrementID) is \(line.shippedAt != nil ? "shipped" : "cancelled") already"
      )
    }
  }
}

extension SalesLine {
  /// The id of the line in the messages of the OMS.
  var omsID: String { kind == .shipping ? "SHIPPING" : itemID != 0 ? "\(itemID)" : sku }
}

extension Magento.Oms.V1.Address {
  /// - Throws: `RPCError` when something is missing that the OMS requires.
  fileprivate init(_ address: Omsconnector.V1.OrderAddress?) throws(RPCError) {
    guard let address else { throw .invalid(field: "address", "address is missing") }
    for (text, field) in [
      (address.firstName, "first_name"), (address.lastName, "last_name"), (address.street.first ?? "", "street"),
      (address.city, "city"), (address.countryCode, "country_code"),
    ] {
      try SalesService.check(text, "address.\(field)")
    }
    for (text, field) in [
      (address.region, "region"), (address.postcode, "postcode"), (address.phone, "phone"), (address.email, "email"),
      (address.street.dropFirst().joined(), "street"),
    ] {
      try SalesService.checkLength(text, "address.\(field)")
    }
    guard address.countryCode.utf8.count == 2 else {
      throw .invalid(field: "address.country_code", "\"\(address.countryCode)\" is no country code such as DE")
    }
    self.init(
      addressType: "customer", firstName: address.firstName, lastName: address.lastName,
      address1: address.street.first ?? "",
      address2: address.street.dropFirst().filter { !$0.isEmpty }.joined(separator: ", "), city: address.city,
      state: address.region, zip: address.postcode, countryCode: address.countryCode, phone: address.phone,
      email: address.email)
  }
}
