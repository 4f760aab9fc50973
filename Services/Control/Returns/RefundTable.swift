import Messages

/// Refunds, for people.
enum RefundTable {
  static func of(_ refunds: [Omsconnector.V1.Refund]) -> Table {
    var table = Table(
      .left("CREDIT NOTE"), .left("ORDER"), .left("STATE"), .left("TYPE"), .right("AMOUNT"), .right("REFUNDED"),
      .right("AGE"), .left("REASON"))
    for refund in refunds {
      table.add(
        refund.creditNoteNumber, refund.incrementId, state(refund), refund.refundType, amount(refund.amount, refund),
        amount(refund.refundedAmount, refund), Age.text(refund.createdAt), MessageTable.cut(refund.reason, 100))
    }
    return table
  }

  /// All that is known of one, a line for each thing.
  static func details(_ refund: Omsconnector.V1.Refund) -> Table {
    var table = Table(.left("REFUND \(refund.creditNoteNumber)"), .left(state(refund)))
    func add(_ name: String, _ value: String) {
      if !value.isEmpty { table.add(name, value) }
    }
    add("order", refund.incrementId)
    add("type", refund.refundType)
    add("return", refund.rma)
    add("status at the OMS", refund.omsStatus)
    add("to be refunded", amount(refund.amount, refund))
    add("refunded", amount(refund.refundedAmount, refund))
    for memo in refund.documents {
      let way = memo.online ? "online, by invoice \(memo.invoiceId)" : "offline"
      add("credit memo \(memo.creditmemoId)", "\(amount(memo.amount, refund)), \(way)")
    }
    for line in refund.lines {
      let unit = line.wholeUnit ? ", the whole unit" : ""
      add("line \(line.lineNumber)", "\(amount(line.amount, refund)) of \(line.sku)\(unit)")
    }
    for attribute in refund.attributes { add(attribute.name, attribute.value) }
    add("received", refund.createdAt?.text ?? "")
    add("reason", refund.reason)
    return table
  }

  private static func state(_ refund: Omsconnector.V1.Refund) -> String {
    refund.state.description.replacing("REFUND_STATE_", with: "").lowercased()
  }

  private static func amount(_ amount: Google.Types.Decimal?, _ refund: Omsconnector.V1.Refund) -> String {
    let number = amount?.value ?? "0"
    return refund.currency.isEmpty ? number : "\(number) \(refund.currency)"
  }
}
