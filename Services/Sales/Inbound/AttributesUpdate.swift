import Messages
import RPC
import ServiceKit
import Storage

/// `order_management.custom_attributes_updated` and `.line_custom_attributes_updated`: merged by name; what is not named stays
/// (connector.md §2.13).
struct AttributesUpdate: LedgerChange {
  let incrementID: String
  /// nil for the order's own.
  private let line: LineName?
  private let attributes: [(name: String, value: String)]

  private struct LineName: Sendable {
    var number: Int?
    var id: String
  }

  var weight: Int { 2 + attributes.count }

  /// Of one message.
  static let limit = 1_000

  init(order body: [UInt8]) throws {
    guard let message = try Magento.Oms.V1.OrderCustomAttributes(json: body).customAttributesModification else {
      throw RPCError.invalid(field: "custom_attributes_modification", "custom_attributes_modification is missing")
    }
    try self.init(message.orderId, nil, message.customAttributes)
  }

  init(line body: [UInt8]) throws {
    guard let message = try Magento.Oms.V1.OrderLineCustomAttributes(json: body).lineCustomAttributesModification else {
      throw RPCError.invalid(
        field: "line_custom_attributes_modification", "line_custom_attributes_modification is missing")
    }
    try self.init(
      message.orderId, LineName(number: Int(message.lineNumber), id: message.lineId), message.customAttributes)
  }

  private init(_ id: String, _ line: LineName?, _ attributes: [Magento.Oms.V1.CustomAttribute]) throws {
    try OrderLimits.check(id: id, field: "order_id")
    if attributes.count > Self.limit {
      throw RPCError.invalid(
        field: "custom_attributes", "\(attributes.count) attributes; at most \(Self.limit) in one message")
    }
    incrementID = id
    self.line = line
    // Definitions say name, one sender writes attribute_code.
    self.attributes = attributes.map { ($0.name.isEmpty ? $0.attributeCode : $0.name, $0.value) }
      .filter { !$0.0.isEmpty }
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    guard try store.order(connection, incrementID) != nil else { throw RPCError.noOrder(incrementID) }
    guard let line else {
      try store.setAttributes(connection, of: incrementID, attributes)
      return "\(attributes.count) attributes set"
    }
    let lines = try store.lines(connection, of: incrementID)
    let found = lines.filter { known in line.number.map { $0 == known.number } ?? ("\(known.itemID)" == line.id) }
    if found.isEmpty {
      throw RPCError.invalid(
        field: "line_number", "order \(quotable(incrementID)) has no line \(line.number.map { "\($0)" } ?? line.id)")
    }
    try store.save(
      connection,
      found.map { line in
        var line = line
        for attribute in attributes { line.attributes[attribute.name] = attribute.value }
        return line
      }, of: incrementID)
    return "\(attributes.count) attributes set on \(found.count) lines"
  }
}

/// `order_management.shipping_address_updated`. The shop keeps the address that the customer gave, as its documents name it: the
/// change is said on the order.
struct AddressUpdate: LedgerChange {
  let incrementID: String
  private let address: Magento.Oms.V1.Address

  var weight: Int { 2 }

  init(_ body: [UInt8]) throws {
    guard let message = try Magento.Oms.V1.OrderShippingAddress(json: body).shippingAddressModification,
      let address = message.newShippingAddress
    else {
      throw RPCError.invalid(
        field: "shipping_address_modification", "shipping_address_modification with new_shipping_address is missing")
    }
    try OrderLimits.check(id: message.orderId, field: "order_id")
    incrementID = message.orderId
    self.address = address
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    guard let order = try store.order(connection, incrementID) else { throw RPCError.noOrder(incrementID) }
    let parts = [
      "\(address.firstName) \(address.lastName)", address.address1, address.address2 ?? "",
      "\(address.zip) \(address.city)", address.state, address.countryCode, address.phone,
    ]
    let text = parts.filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: ", ")
    if order.entityID != 0 { try store.addComment(connection, of: incrementID, "OMS: ships to \(text)") }
    return "another shipping address"
  }
}
