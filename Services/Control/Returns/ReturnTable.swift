import Messages

/// Returns, for people.
enum ReturnTable {
  static func of(_ returns: [Omsconnector.V1.Return]) -> Table {
    var table = Table(
      .left("RMA"), .left("ORDER"), .right("IN THE SHOP"), .left("STATE"), .left("STATUS"), .right("AGE"),
      .left("REASON"))
    for each in returns {
      table.add(
        each.rma.isEmpty ? "(asked for)" : each.rma, each.incrementId, each.entityId > 0 ? "\(each.entityId)" : "",
        state(each), each.omsStatus, Age.text(each.createdAt), MessageTable.cut(each.reason, 100))
    }
    return table
  }

  /// All that is known of one, a line for each thing.
  static func details(_ given: Omsconnector.V1.Return) -> Table {
    var table = Table(.left("RETURN \(given.rma)"), .left(state(given)))
    func add(_ name: String, _ value: String) {
      if !value.isEmpty { table.add(name, value) }
    }
    add("order", given.incrementId)
    add("id in the shop", given.entityId > 0 ? "\(given.entityId)" : "")
    add("status at the OMS", given.omsStatus + (given.omsStatusAt.map { ", \($0.text)" } ?? ""))
    add("asked for", given.blind ? "no, a blind return" : "in the shop")
    add("parcel", [given.trackingCarrier, given.trackingNumber].filter { !$0.isEmpty }.joined(separator: " "))
    for line in given.lines {
      let units = line.quantity.map { $0.value == "1" ? "" : "\($0.value) × " } ?? ""
      let words = [units + line.sku, line.reason, line.condition, line.status].filter { !$0.isEmpty }
      add("line \(line.lineNumber)", words.joined(separator: ", "))
    }
    for attribute in given.attributes { add(attribute.name, attribute.value) }
    add("received", given.createdAt?.text ?? "")
    add(given.needsAttention ? "needs you" : "reason", given.reason)
    return table
  }

  private static func state(_ given: Omsconnector.V1.Return) -> String {
    given.state.description.replacing("RETURN_STATE_", with: "").lowercased()
  }
}
