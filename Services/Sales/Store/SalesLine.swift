import Commerce
import Messages
import Storage

/// A line of an order as the OMS knows it: mostly one unit. What became of it, at the OMS and in the shop.
struct SalesLine: Sendable, Equatable {
  /// From 1, unique within the order.
  var number: Int
  /// The shop's order item, which its documents name; 0 of shipping and services.
  var itemID: Int64 = 0
  /// Of a bundle's part; 0 without one.
  var parent = 0
  var kind: SoldItem.Kind
  /// The catalog's.
  var sku: String
  /// Of a configurable product the variant's; 0 of shipping and services.
  var productID: Int64 = 0
  var name = ""
  var quantity: Decimal = 1
  /// In the order's currency, discounts taken off.
  var gross: Decimal = 0
  var tax: Decimal = 0
  /// As the OMS last said; empty before.
  var status = ""
  /// This and the other times: nanoseconds since 1970.
  var statusAt: Int64?
  /// The source that the OMS has chosen.
  var sourceID = ""
  /// The shipment request that shipped it.
  var shipmentRequestID = ""
  /// When the OMS said that all of it is shipped.
  var shippedAt: Int64?
  /// Where it did not leave as a whole: units by the shipment request that took them.
  var shippedUnits: [String: Decimal] = [:]
  /// When the OMS said that it is cancelled: of one that has left in part, the rest.
  var cancelledAt: Int64?
  /// When the shop had shipped or cancelled it, too: it is no open unit any more.
  var shopDoneAt: Int64?
  /// Of a line that is open still: how many of its units are so no more.
  var shopDoneUnits: Decimal = 0
  /// Custom attributes that the OMS has set.
  var attributes: [String: String] = [:]
  /// Of a bundle: whether its parts leave the warehouse together.
  var shipsTogether = false
}

extension SalesLine {
  static let columns = """
    increment_id, line_number, item_id, parent_line, kind, sku, product_id, name, quantity, gross, tax, status, status_at, \
    source_id, shipment_request_id, shipped_at, cancelled_at, shop_done_at, attributes, \
    ships_together, shipped_units, shop_done_units
    """

  /// The current row of a statement that selects ``columns``.
  init(_ row: Statement) throws(StorageError) {
    number = Int(row.integer(1))
    itemID = row.integer(2)
    parent = Int(row.integer(3))
    kind = try row.value(4, of: "the kind of line \(row.integer(1)) of order \(row.text(0))")
    sku = row.text(5)
    productID = row.integer(6)
    name = row.text(7)
    quantity = try row.decimal(8)
    gross = try row.decimal(9)
    tax = try row.decimal(10)
    status = row.text(11)
    statusAt = row.optionalInteger(12)
    sourceID = row.text(13)
    shipmentRequestID = row.text(14)
    shippedAt = row.optionalInteger(15)
    cancelledAt = row.optionalInteger(16)
    shopDoneAt = row.optionalInteger(17)
    attributes = try AttributeText.attributes(in: row.text(18))
    shipsTogether = row.bool(19)
    for (request, text) in try AttributeText.attributes(in: row.text(20)) {
      guard let units = Decimal(text) else {
        throw StorageError(.corrupt, "\"\(text.prefix(40))\" is stored where units belong that have left")
      }
      shippedUnits[request] = units
    }
    shopDoneUnits = try row.decimal(21)
  }

  /// Binds ``columns`` as the parameters 1 to 22.
  func bind(_ statement: Statement, of incrementID: String) throws(StorageError) {
    try statement.bind(incrementID, at: 1)
    try statement.bind(Int64(number), at: 2)
    try statement.bind(itemID, at: 3)
    try statement.bind(Int64(parent), at: 4)
    try statement.bind(kind.rawValue, at: 5)
    try statement.bind(sku, at: 6)
    try statement.bind(productID, at: 7)
    try statement.bind(name, at: 8)
    try statement.bind(quantity.text, at: 9)
    try statement.bind(gross.text, at: 10)
    try statement.bind(tax.text, at: 11)
    try statement.bind(status, at: 12)
    try statement.bind(statusAt, at: 13)
    try statement.bind(sourceID, at: 14)
    try statement.bind(shipmentRequestID, at: 15)
    try statement.bind(shippedAt, at: 16)
    try statement.bind(cancelledAt, at: 17)
    try statement.bind(shopDoneAt, at: 18)
    try statement.bind(AttributeText.text(of: attributes), at: 19)
    try statement.bind(shipsTogether, at: 20)
    try statement.bind(AttributeText.text(of: shippedUnits.mapValues(\.text)), at: 21)
    try statement.bind(shopDoneUnits.text, at: 22)
  }
}

extension SalesLine {
  /// Units that have left, by the shipment request that took them.
  var shipped: [String: Decimal] {
    shippedUnits.isEmpty && shippedAt != nil ? [shipmentRequestID: quantity] : shippedUnits
  }

  /// Units that have not left.
  var unshipped: Decimal { max(quantity - shipped.values.sum(), 0) }

  /// So many of its units have left with a shipment request. What left is cancelled no more; the rest of it may be.
  mutating func ship(_ units: Decimal, with request: String, at time: Int64) {
    if units < quantity || !shipped.isEmpty {
      shippedUnits = shipped
      shippedUnits[request, default: 0] += units
    }
    shipmentRequestID = request
    if shippedUnits.isEmpty || unshipped.isZero {
      shippedAt = time
      cancelledAt = nil
    }
  }
}

/// Attributes as a JSON object of texts.
enum AttributeText {
  /// In the order of their names.
  static func text(of attributes: [String: String]) -> String {
    let members = attributes.sorted { $0.key < $1.key }.map {
      "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))"
    }
    return "{\(members.joined(separator: ","))}"
  }

  static func attributes(in text: String) throws(StorageError) -> [String: String] {
    if text == "{}" { return [:] }
    do throws(MessageError) {
      let members = try JSONDocument(parsing: Array(text.utf8)).root.members
      return Dictionary(members.map { ($0.name, $0.value.string ?? "") }) { _, last in last }
    } catch {
      throw StorageError(.corrupt, "attributes are stored that are no JSON: \(error)")
    }
  }
}
