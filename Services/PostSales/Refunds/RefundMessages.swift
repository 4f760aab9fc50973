import Commerce
import Messages
import ServiceKit
import Storage

extension RefundNotice {
  /// Lines of one refund; the largest order that was ever exported has fewer.
  static let lineLimit = 10_000

  /// Reads the params of `magento.postsales.refund_management.updated` (messages.md §4.9).
  ///
  /// - Throws: `MessageError` when they are not JSON or not of this form, ``PostSalesError`` when the message can never be used.
  init(busParams json: [UInt8], isReplay: Bool) throws {
    guard let refund = try Magento.Oms.V1.RefundUpdated(json: json).refund else {
      throw PostSalesError("refund is missing", field: "refund")
    }
    try PostSalesError.check(refund.creditNoteNumber, "refund.credit_note_number")
    try PostSalesError.check(refund.orderId, "refund.order_id")
    guard refund.lines.count <= Self.lineLimit else {
      throw PostSalesError(
        "refund.lines has \(refund.lines.count) lines; at most \(Self.lineLimit)", field: "refund.lines")
    }
    let lines = try refund.lines.enumerated().map { try Line($1, path: "refund.lines[\($0)]") }
    // What is beyond could be stored, but not be read again.
    guard lines.map(\.amount).sum() <= Decimal.limit else {
      throw PostSalesError("refund.lines come to more than \(Decimal.limit)", field: "refund.lines")
    }
    self.init(
      creditNote: refund.creditNoteNumber, incrementID: refund.orderId, type: RefundType(refund.refundType),
      rma: refund.rma, statusCode: refund.status?.code ?? "", statusReason: refund.status?.reasonCode ?? "",
      statusAt: BusTime.nanoseconds(refund.status?.date), lines: Self.merged(lines),
      attributes: Attribute.list(refund.customAttributes), isReplay: isReplay)
  }

  /// A line that comes twice counts twice.
  private static func merged(_ lines: [Line]) -> [Line] {
    var sums: [Int: Line] = [:]
    for line in lines {
      sums[line.number, default: Line(number: line.number, amount: 0, reason: line.reason)].amount += line.amount
    }
    return sums.values.sorted { $0.number < $1.number }
  }
}

extension RefundNotice.Line {
  fileprivate init(_ line: Magento.Oms.V1.RefundLine, path: String) throws(PostSalesError) {
    guard let number = Int(line.orderLine), number > 0, number <= Int(Int32.max) else {
      throw PostSalesError(
        "\(path).order_line \"\(quotable(line.orderLine))\" is no line number", field: "\(path).order_line")
    }
    var amount = Decimal.zero
    for (index, payment) in line.payments.enumerated() {
      amount += try Self.gross(payment.details, path: "\(path).payments[\(index)].details")
    }
    guard !amount.isNegative else {
      throw PostSalesError("\(path): \(amount) is less than nothing", field: "\(path).payments")
    }
    guard amount <= Decimal.limit else {
      throw PostSalesError("\(path): \(amount) is more than \(Decimal.limit)", field: "\(path).payments")
    }
    self.init(number: number, amount: amount, reason: line.reason)
  }

  private static func gross(
    _ details: Magento.Oms.V1.RefundDetails?, path: String
  ) throws(PostSalesError) -> Decimal {
    guard let gross = details?.costGross, !gross.value.isEmpty else {
      throw PostSalesError("\(path).cost_gross is missing", field: "\(path).cost_gross")
    }
    guard let amount = Decimal(gross) else {
      throw PostSalesError("\(path).cost_gross \"\(quotable(gross.value))\" is no amount", field: "\(path).cost_gross")
    }
    return amount
  }
}

extension Attribute {
  /// Definitions say `name`, senders write `attribute_code`: either (connector.md §2.13).
  static func list(_ attributes: [Magento.Oms.V1.CustomAttribute]) -> [Attribute] {
    attributes.compactMap { attribute in
      let name = attribute.name.isEmpty ? attribute.attributeCode : attribute.name
      return name.isEmpty || hasNUL(name) || hasNUL(attribute.value)
        ? nil : Attribute(name: name, value: attribute.value)
    }
  }
}

/// Times of the bus.
enum BusTime {
  /// The OMS's clock may be so far ahead of ours.
  static let clockTolerance: Int64 = 600 * 1_000_000_000

  /// Nanoseconds since 1970; 0 for what is no time: the order of messages is not worth refusing one. A time from the future is none:
  /// it would make all that follows look old.
  static func nanoseconds(_ text: String?, now: Int64 = WallClock.nanoseconds()) -> Int64 {
    guard let text, !text.isEmpty else { return 0 }
    do throws(MessageError) {
      let time = try Google.Protobuf.Timestamp(parsing: text).nanosecondsSinceEpoch ?? 0
      if (0...now + clockTolerance).contains(time) { return time }
      Log.warning("a time of the OMS lies in the future, or before 1970", ["time": "\(quotable(text))"])
      return 0
    } catch {
      Log.debug("a time of the OMS can't be read", ["time": "\(quotable(text))"])
      return 0
    }
  }
}
