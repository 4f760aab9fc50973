import Commerce

/// A product as the shop has it, however it came: from the REST API, or from a CSV file.
struct ShopProduct: Sendable, Equatable {
  /// The shop's; 0 when it is not known.
  var id: Int64 = 0
  var sku: String
  var name = ""
  /// The shop's: simple, configurable, bundle, grouped, virtual, downloadable, giftcard, or one of an extension's. Beside them
  /// shipping and service.
  var type = "simple"
  var isEnabled = true
  /// In the base currency; nil when it has none of its own.
  var price: Decimal?
  var weight: Decimal?
  /// Seconds since 1970; nil when not known.
  var createdAt: Int64?
  var updatedAt: Int64?
  /// Ids of the variants of a configurable product.
  var childIDs: [Int64] = []
  /// The same by SKU, where those are what is known.
  var childSKUs: [String] = []
  /// Values of the attributes that matter, by their codes. A choice's value is the option's id, or its label in a file.
  var attributes: [String: [String]] = [:]
  /// Its names in store views, by their codes.
  var localNames: [String: String] = [:]

  /// The one value of an attribute; nil when it has none.
  func attribute(_ code: String) -> String? {
    attributes[code]?.first.flatMap { $0.isEmpty ? nil : $0 }
  }
}
