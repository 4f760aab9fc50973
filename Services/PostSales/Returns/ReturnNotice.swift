import Commerce
import Messages
import ServiceKit

/// What the OMS says of a return (messages.md §4.8).
struct ReturnNotice: Sendable, Equatable {
  struct Line: Sendable, Equatable {
    /// Of the order, as the OMS numbers its lines.
    var number: Int
    var itemID: Int64
    var sku: String
    var reason: String
    var condition: String
    var status: String
    /// Where the message says it, which its definition does not know of.
    var quantity: Decimal?
  }

  struct Tracking: Sendable, Equatable {
    var number = ""
    var carrier = ""
    var url = ""
    var labelURL = ""
  }

  var rma: String
  var incrementID: String
  var statusCode: String
  var statusReason: String
  /// Nanoseconds since 1970; 0 when the message does not say.
  var statusAt: Int64
  var tracking = Tracking()
  var lines: [Line]
  var attributes: [Attribute] = []

  var numbers: Set<Int> { Set(lines.map(\.number)) }
}

extension ReturnNotice {
  /// Reads the params of `magento.postsales.return_management.updated`, whose members come in several forms: a line's status as a
  /// text or as an object, its number as either, much of it not at all.
  ///
  /// - Throws: `MessageError` when they are not JSON, ``PostSalesError`` when the message can never be used.
  init(busParams json: [UInt8]) throws {
    guard let message = try JSONDocument(parsing: json).root["return"], message.kind == .object else {
      throw PostSalesError("return is missing", field: "return")
    }
    let (rma, orderID) = (message.text(of: "rma"), message.text(of: "order_id"))
    try PostSalesError.check(rma, "return.rma")
    try PostSalesError.check(orderID, "return.order_id")
    let elements = message["lines"]?.elements ?? []
    guard elements.count <= RefundNotice.lineLimit else {
      throw PostSalesError(
        "return.lines has \(elements.count) lines; at most \(RefundNotice.lineLimit)", field: "return.lines")
    }
    var lines: [Line] = []
    for (index, line) in elements.enumerated() { lines.append(try Line(line, path: "return.lines[\(index)]")) }
    let status = message["status"]
    self.init(
      rma: rma, incrementID: orderID, statusCode: status?.statusCode ?? "",
      statusReason: status?.text(of: "reason_code") ?? "", statusAt: BusTime.nanoseconds(status?.text(of: "date")),
      tracking: Tracking(
        number: message.text(of: "return_tracking_number"), carrier: message.text(of: "return_tracking_carrier"),
        url: message.text(of: "return_tracking_url"), labelURL: message.text(of: "return_tracking_label_url")),
      lines: lines, attributes: Attribute.list(message["custom_attributes"]))
  }
}

extension ReturnNotice.Line {
  fileprivate init(_ line: JSONValue, path: String) throws(PostSalesError) {
    let text = line.text(of: "line_number")
    guard let number = Int(text), number > 0, number <= Int(Int32.max) else {
      throw PostSalesError(
        "\(path).line_number \"\(quotable(text))\" is no line number", field: "\(path).line_number")
    }
    let quantity = line.text(of: "quantity")
    let units = quantity.isEmpty ? nil : Decimal(quantity)
    guard quantity.isEmpty || units.map({ $0 > 0 }) ?? false else {
      throw PostSalesError("\(path).quantity \"\(quotable(quantity))\" is no quantity", field: "\(path).quantity")
    }
    self.init(
      number: number, itemID: Int64(line.text(of: "id")) ?? 0, sku: line.text(of: "sku"),
      reason: line.text(of: "reason"),
      condition: line.text(of: "condition"), status: line["status"]?.statusCode ?? "", quantity: units)
  }
}

extension JSONValue {
  /// A member's text, or that of a number; empty when there is none, and for what no store can keep.
  func text(of name: String) -> String {
    guard let member = self[name], member.kind != .bool, let text = member.scalar, !hasNUL(text) else { return "" }
    return text
  }

  /// A status as a text, or its code.
  fileprivate var statusCode: String { string.map { hasNUL($0) ? "" : $0 } ?? text(of: "code") }
}

extension Attribute {
  /// As ``list(_:)``, of a message that is read by hand.
  static func list(_ value: JSONValue?) -> [Attribute] {
    (value?.elements ?? []).compactMap { element in
      let name = element.text(of: "name").isEmpty ? element.text(of: "attribute_code") : element.text(of: "name")
      return name.isEmpty ? nil : Attribute(name: name, value: element.text(of: "value"))
    }
  }
}
