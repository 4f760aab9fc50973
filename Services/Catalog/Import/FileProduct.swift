import Commerce

/// What a file says of a product. As with the shop's own import, a column that the file does not have and an empty cell leave a
/// value as it is; `__EMPTY__VALUE__` empties it.
struct FileProduct: Sendable, Equatable {
  /// The shop's import takes it so unless it is told of another one ("Empty attribute value constant").
  static let emptied = "__EMPTY__VALUE__"

  var sku: String
  var name: String?
  var type: String?
  /// What the type of a new product is when nobody says it: told by columns that only one type has; simple in files of sample data,
  /// which have no column for it.
  var supposedType: String?
  var isEnabled: Bool?
  var price: Decimal?
  var weight: Decimal?
  var emptiesWeight = false
  /// Seconds since 1970.
  var createdAt: Int64?
  var childSKUs: [String]?
  /// Values by the attributes' codes; none for one that is emptied.
  var attributes: [String: [String]] = [:]
  /// Names in store views, by their codes.
  var localNames: [String: String] = [:]

  init(sku: String) { self.sku = sku }

  /// Roughly what it takes in memory.
  var bytes: Int {
    let texts = [sku, name ?? ""] + (childSKUs ?? []) + attributes.values.flatMap(\.self) + localNames.values
    return texts.reduce(0) { $0 + $1.utf8.count }
  }
}
