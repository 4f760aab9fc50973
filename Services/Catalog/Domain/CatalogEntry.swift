import Commerce
import Messages
import Storage

/// A product as the connector keeps it, with the message that tells the OMS of it.
struct CatalogEntry: Sendable {
  /// Where it came from.
  enum Origin: String, Sendable {
    case shop, csv
    /// The mapping file: a shipping method, a service.
    case mapping
    /// A client's request.
    case client
  }

  var sku: String
  var productID: Int64
  var origin: Origin
  var type: String
  var name: String
  var status: ProductStatus
  var price: Decimal?
  var currency: String
  var imageURL: String
  var shipsTogether: Bool
  var children: [String]
  /// Seconds since 1970; nil when not known.
  var updatedAt: Int64?
  /// Params of the message.
  var body: [UInt8]
  /// Tells contents apart: two that the OMS reads as the same have the same.
  var content: [UInt8]
  /// What the OMS is told, for later: a file may say only some of it anew (``KnownProduct``).
  var told: [UInt8]

  /// messages.md §2: a product, to whoever keeps a catalog.
  static let method = "magento.catalog.product_management.updated"

  /// For the outbox. Messages about one product are delivered in order.
  var message: OutboxMessage { OutboxMessage(method: Self.method, key: sku, route: .events, body: body) }

  /// How much of a commit it takes when it is sent.
  var weight: Int { Self.weight(bytes: body.count) }

  static func weight(bytes: Int) -> Int { 2 + bytes / 1_024 }
}

extension CatalogEntry {
  /// - Parameter product: what the OMS is told.
  init(
    _ product: Magento.Oms.V1.Product, of known: ShopProduct, origin: Origin, status: ProductStatus,
    imageURL: String = "",
    shipsTogether: Bool = false
  ) {
    sku = product.sku
    productID = known.id
    self.origin = origin
    type = known.type
    name = product.name.first?.value ?? ""
    self.status = status
    price = known.price
    currency = product.price?.currency ?? ""
    self.imageURL = imageURL
    self.shipsTogether = shipsTogether
    children = product.childrenSkus
    updatedAt = known.updatedAt
    body = Self.body(product)
    var timeless = product
    timeless.createdAt = ""
    timeless.modifiedAt = ""
    let serialized = timeless.serialized()
    // Without the times: saving a product without a change moves them, and so does all that the connector itself writes to it.
    content = SHA256.digest(ofParts: [serialized])
    // Serialized messages in a row are one, with the fields of all.
    told = serialized + Magento.Oms.V1.Product(createdAt: product.createdAt).serialized()
  }

  /// Receivers want children_skus and enabled in every message, an empty list and false too (messages.md §4.2).
  static func body(_ product: Magento.Oms.V1.Product) -> [UInt8] {
    Array(Magento.Oms.V1.ProductUpdated(product: product).json(writesDefaults: true).utf8)
  }
}

/// messages.md §4.2: it chooses the OMS's safety stock.
enum ProductStatus: String, Sendable, CaseIterable {
  case active = "ACTIVE"
  case inactive = "INACTIVE"
  case endOfLife = "EOL"
  case outlet = "OUTLET"

  /// As merchants write it: `Outlet`, `end of life`.
  init?(label: String) {
    switch label.lowercased().filter({ $0.isLetter }) {
    case "active": self = .active
    case "inactive": self = .inactive
    case "eol", "endoflife": self = .endOfLife
    case "outlet": self = .outlet
    default: return nil
    }
  }
}
