import Commerce
import Storage

/// A product as the store has it.
struct CatalogRow: Sendable, Equatable {
  var sku: String
  /// 0 when the shop has none.
  var productID: Int64
  var origin: CatalogEntry.Origin
  var type: String
  var name: String
  var status: String
  /// A decimal number; empty for none.
  var price: String
  var currency: String
  var imageURL: String
  var shipsTogether: Bool
  /// SKUs, a JSON list.
  var children: String
  var content: [UInt8]
  /// Nanoseconds since 1970.
  var exportedAt: Int64
  /// Seconds since 1970; 0 when not known.
  var updatedAt: Int64

  /// Whether what the OMS was told is stored: it is not of a product that was stored by an earlier version.
  var hasTold: Bool

  static let columns = """
    sku, product_id, origin, type, name, status, price, currency, image_url, ships_together, children, content, exported_at,
    updated_at
    """
  /// What is to be selected.
  static let selection = "\(columns), CASE WHEN length(told) > 0 THEN 1 ELSE 0 END"

  init(_ statement: Statement) throws(StorageError) {
    sku = statement.text(0)
    productID = statement.integer(1)
    origin = try statement.value(2, of: "the origin of product \(statement.text(0))")
    type = statement.text(3)
    name = statement.text(4)
    status = statement.text(5)
    price = statement.text(6)
    currency = statement.text(7)
    imageURL = statement.text(8)
    shipsTogether = statement.bool(9)
    children = statement.text(10)
    content = statement.blob(11)
    exportedAt = statement.integer(12)
    updatedAt = statement.integer(13)
    hasTold = statement.bool(14)
  }

  /// - Parameter children: as the store writes lists.
  init(_ entry: CatalogEntry, children: String, exportedAt: Int64) {
    sku = entry.sku
    productID = entry.productID
    origin = entry.origin
    type = entry.type
    name = entry.name
    status = entry.status.rawValue
    price = entry.price?.text ?? ""
    currency = entry.currency
    imageURL = entry.imageURL
    shipsTogether = entry.shipsTogether
    self.children = children
    content = entry.content
    self.exportedAt = exportedAt
    updatedAt = entry.updatedAt ?? 0
    hasTold = true
  }
}
