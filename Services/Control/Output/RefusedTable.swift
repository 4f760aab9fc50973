import Messages

/// Messages that the gateway refused when a service handed them over.
enum RefusedTable {
  static func of(_ messages: [Omsconnector.V1.RefusedMessage]) -> Table {
    var table = Table(
      .left("DELIVERY ID"), .left("STATE"), .right("REFUSED"), .left("KEY"), .left("METHOD"), .left("REASON"))
    for message in messages {
      table.add(
        message.deliveryId, state(message.state), Age.text(message.refusedAt), MessageTable.cut(message.key, 40),
        message.method, MessageTable.cut(message.reason, 100))
    }
    return table
  }

  /// All that is known of one, a line for each thing.
  static func details(_ message: Omsconnector.V1.RefusedMessage) -> Table {
    var table = Table(.left("MESSAGE \(message.deliveryId)"), .left(state(message.state)))
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { table.add(name, value) }
    }
    add("service", message.service)
    add("way", "out, \(message.route)")
    add("method", message.method)
    add("key", message.key)
    add("added", message.addedAt?.text)
    add("refused", message.refusedAt?.text)
    add("reason", message.reason)
    add(message.state == .discarded ? "discarded" : "retried as", message.outcome)
    add("handled by", message.handledAt.map { "\(message.handledBy.isEmpty ? "?" : message.handledBy), \($0.text)" })
    add("bytes", String(message.size))
    return table
  }

  private static func state(_ state: Omsconnector.V1.RefusedMessageState) -> String {
    EnumText.short(state, prefix: "REFUSED_MESSAGE_STATE_")
  }
}
