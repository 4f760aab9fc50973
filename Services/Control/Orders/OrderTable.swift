import Messages

/// Orders and shipment requests, as tables.
enum OrderTable {
  static func of(_ orders: [Omsconnector.V1.Order]) -> Table {
    var table = Table(
      .left("ORDER"), .left("STATE"), .right("AGE"), .right("TOTAL"), .left(""), .left("CHANNEL"), .left("OMS STATUS"),
      .left("REASON"))
    for order in orders {
      table.add(
        MessageTable.cut(order.incrementId, 40), state(order.exportState), Age.text(order.createdAt),
        number(order.grandTotal),
        order.currency, order.salesChannel, order.omsStatus,
        (order.needsAttention ? "! " : "") + MessageTable.cut(order.reason, 100))
    }
    return table
  }

  /// All that is known of one, a line for each thing.
  static func details(_ order: Omsconnector.V1.Order) -> Table {
    var table = Table(.left("ORDER \(order.incrementId)"), .left(state(order.exportState)))
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { table.add(name, value) }
    }
    add("reason", order.reason)
    add("needs somebody", order.needsAttention ? "yes" : nil)
    add("shop's id", order.entityId == 0 ? nil : String(order.entityId))
    add("channel", order.salesChannel)
    add("total", "\(number(order.grandTotal)) \(order.currency)")
    add("made", order.createdAt?.text)
    add("sent", order.exportedAt?.text)
    let reason = order.omsStatusReason.isEmpty ? "" : " (\(order.omsStatusReason))"
    add("OMS status", order.omsStatus.isEmpty ? nil : order.omsStatus + reason)
    add("since", order.omsStatusAt?.text)
    add("belongs to", order.originalOrderId)
    for document in order.documents {
      let id = document.entityId == 0 ? "not there yet" : String(document.entityId)
      add(document.kind, "\(id)\(document.reason.isEmpty ? "" : ", for \(document.reason)")")
    }
    for attribute in order.attributes { add(attribute.name, attribute.value) }
    return table
  }

  static func lines(_ lines: [Omsconnector.V1.OrderLine]) -> Table? {
    guard !lines.isEmpty else { return nil }
    var table = Table(
      .right("LINE"), .left("KIND"), .left("SKU"), .right("QUANTITY"), .right("AMOUNT"), .left("STATUS"),
      .left("SOURCE"), .left("NAME"))
    for line in lines {
      let status = line.status.isEmpty ? (line.shipped ? "shipped" : line.cancelled ? "cancelled" : "") : line.status
      table.add(
        String(line.lineNumber), line.productType, MessageTable.cut(line.sku, 60), number(line.quantity),
        number(line.grossAmount), status, line.sourceId, MessageTable.cut(line.name, 60))
    }
    return table
  }

  static func of(_ requests: [Omsconnector.V1.ShipmentRequest]) -> Table {
    var table = Table(
      .left("REQUEST"), .left("ORDER"), .right("AGE"), .left("SOURCE"), .left("METHOD"), .right("LINE"), .left("SKU"),
      .left("STATUS"), .left("NAME"))
    for request in requests {
      for (index, line) in request.lines.enumerated() {
        let head =
          index > 0
          ? ["", "", "", "", ""]
          : [
            MessageTable.cut(request.requestId, 60), MessageTable.cut(request.incrementId, 40),
            Age.text(request.createdAt),
            request.sourceId, request.shippingMethod,
          ]
        table.add(
          head + [
            String(line.lineNumber), MessageTable.cut(line.sku, 60), line.status, MessageTable.cut(line.name, 60),
          ])
      }
    }
    return table
  }

  static func state(_ state: Omsconnector.V1.OrderExportState) -> String {
    EnumText.short(state, prefix: "ORDER_EXPORT_STATE_")
  }

  private static func number(_ value: Google.Types.Decimal?) -> String { value?.value ?? "" }
}
