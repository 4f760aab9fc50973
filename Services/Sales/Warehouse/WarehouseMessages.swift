import Messages
import RPC
import ServiceKit
import Storage

/// Takes over what the OMS asks the warehouse to send (messages.md §4.7).
struct WarehouseMessages {
  static let requestShipment = "magento.logistics.warehouse_management.request_shipment"
  /// Lines of a request: as many as the largest order has.
  static let lineLimit = 10_000
  /// Before anything is reported.
  static let requested = "REQUESTED"

  let store: SalesStore

  var methods: [ConsumedMethod] {
    let store = store
    return [
      ConsumedMethod(Self.requestShipment, in: store.database) { request, trace in
        let shipment = try ShipmentRequest(try Magento.Oms.V1.ShipmentRequest(json: request.body))
        return MessageEffect(
          weight: 1 + shipment.lines.count, key: shipment.incrementID,
          apply: { try store.add($0, shipment) },
          result: { _ in Array("true".utf8) },
          committed: { isNew in
            Log.info(
              isNew ? "shipment requested" : "shipment request is known",
              [
                "request": "\(shipment.requestID)", "order": "\(shipment.incrementID)",
                "source": "\(shipment.sourceID)", "lines": LogValue(shipment.lines.count),
              ], trace: trace)
          })
      }
    ]
  }
}

extension ShipmentRequest {
  /// An order that is not known here is none of our business: the OMS makes orders of its own.
  ///
  /// - Throws: `RPCError` INVALID_ARGUMENT when the message can never be understood.
  init(_ message: Magento.Oms.V1.ShipmentRequest) throws(RPCError) {
    try SalesService.check(message.requestId, "request_id")
    try SalesService.check(message.orderId, "order_id")
    for (text, field) in [(message.sourceId, "source_id"), (message.shippingMethod, "shipping_method")] {
      try SalesService.checkLength(text, field)
    }
    guard (1...WarehouseMessages.lineLimit).contains(message.items.count) else {
      throw .invalid(
        field: "items",
        "shipment request \(quotable(message.requestId)): items has \(message.items.count) entries; "
          + "1 to \(WarehouseMessages.lineLimit) are expected")
    }
    self.init(
      requestID: message.requestId, incrementID: message.orderId, sourceID: message.sourceId,
      shippingMethod: message.shippingMethod,
      createdAt: Self.time(message.created) ?? Self.time(message.requestCreatedAt) ?? WallClock.nanoseconds())
    var numbers: Set<Int32> = []
    for (index, item) in message.items.enumerated() {
      guard item.orderLineNumber > 0, numbers.insert(item.orderLineNumber).inserted else {
        throw .invalid(
          field: "items[\(index)].order_line_number",
          "shipment request \(quotable(message.requestId)): line number \(item.orderLineNumber) is none, or is there twice"
        )
      }
      lines.append(
        ShipmentRequestLine(
          number: Int(item.orderLineNumber), sku: quotable(item.sku), name: quotable(item.name),
          status: WarehouseMessages.requested, item: item.json()))
    }
    lines.sort { $0.number < $1.number }
  }

  /// A time that can't be read is as good as none: it only says where the request stands in lists.
  private static func time(_ text: String) -> Int64? {
    do throws(MessageError) {
      return try Google.Protobuf.Timestamp(parsing: text).nanosecondsSinceEpoch
    } catch {
      return nil
    }
  }
}
