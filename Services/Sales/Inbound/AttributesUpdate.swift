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
    for (name, value) in self.attributes {
      guard name.utf8.count <= AttributeLimits.nameBytes, value.utf8.count <= AttributeLimits.valueBytes, !hasNUL(name),
        !hasNUL(value)
      else {
        throw RPCError.invalid(
          field: "custom_attributes",
          "attribute \"\(quotable(String(name.prefix(80))))\" has a name of \(name.utf8.count) and a value of "
            + "\(value.utf8.count) bytes; at most \(AttributeLimits.nameBytes) and \(AttributeLimits.valueBytes), without NUL"
        )
      }
    }
  }

  func apply(to store: SalesStore, _ connection: Connection, now: Int64) throws -> String {
    guard try store.order(connection, incrementID) != nil else { throw RPCError.noOrder(incrementID) }
    guard let line else {
      return told(leftOut: try store.setAttributes(connection, of: incrementID, attributes), "")
    }
    let lines = try store.lines(connection, of: incrementID)
    let found = lines.filter { known in line.number.map { $0 == known.number } ?? ("\(known.itemID)" == line.id) }
    if found.isEmpty {
      throw RPCError.invalid(
        field: "line_number", "order \(quotable(incrementID)) has no line \(line.number.map { "\($0)" } ?? line.id)")
    }
    var leftOut = 0
    try store.save(
      connection,
      found.map { line in
        var line = line
        leftOut = max(leftOut, AttributeLimits.merge(attributes, into: &line.attributes))
        return line
      }, of: incrementID)
    return told(leftOut: leftOut, " on \(found.count) lines")
  }

  private func told(leftOut: Int, _ place: String) -> String {
    guard leftOut > 0 else { return "\(attributes.count) attributes set\(place)" }
    Log.warning(
      "attributes of the OMS are left out, as there are too many",
      ["order": "\(quotable(incrementID))", "count": LogValue(leftOut)])
    return
      "\(attributes.count - leftOut) attributes set\(place), \(leftOut) left out: at most \(AttributeLimits.count) of "
      + "\(AttributeLimits.totalBytes >> 10) KiB together"
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
    guard order.entityID != 0 else { return "another shipping address" }
    guard try ToldAddress.note(connection, of: incrementID, text) else { return "the shipping address is said already" }
    try store.addComment(
      connection, of: incrementID, SalesStore.dated("OMS: ships to \(text)", now, precisely: true))
    return "another shipping address"
  }
}
