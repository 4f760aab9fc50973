import Commerce
import Messages

extension ShopProduct {
  /// A product as `GET /V1/products` answers it.
  ///
  /// - Parameter codes: of the attributes to be read.
  /// - Throws: when it is none, or nothing that the OMS can be told.
  init(_ json: JSONValue, codes: Set<String>) throws(ProductProblem) {
    let product: Magento.Commerce.V1.Product
    do throws(MessageError) {
      product = try Magento.Commerce.V1.Product(json: json)
    } catch {
      throw ProductProblem(json["sku"]?.string ?? "", "is not a product as the shop answers it: \(error)")
    }
    if let problem = CatalogRules.problem(ofSKU: product.sku) { throw ProductProblem(product.sku, problem) }
    sku = product.sku
    id = max(0, product.id)
    name = product.name
    type = product.typeId.isEmpty ? "simple" : product.typeId
    // 1 enabled, 2 disabled; a shipping method has none.
    isEnabled = product.status != 2
    price = try Self.number(product.price, "price", sku)
    weight = try Self.number(product.weight, "weight", sku)
    createdAt = ShopTime.seconds(product.createdAt)
    updatedAt = ShopTime.seconds(product.updatedAt)
    childIDs = product.extensionAttributes?.configurableProductLinks ?? []
    guard childIDs.count <= CatalogRules.children else {
      throw ProductProblem(sku, "has \(childIDs.count) variants; at most \(CatalogRules.children)")
    }
    guard name.utf8.count <= CatalogRules.textBytes else {
      throw ProductProblem(sku, "has a name of \(name.utf8.count) bytes; at most \(CatalogRules.textBytes)")
    }
    attributes = try Self.attributes(of: json, codes, sku)
  }

  private static func number(
    _ number: Google.Types.Decimal?, _ field: String, _ sku: String
  ) throws(ProductProblem) -> Decimal? {
    guard let number, !number.value.isEmpty else { return nil }
    guard let value = Decimal(number) else {
      throw ProductProblem(sku, "\(field) \(number.value.prefix(40)) is no number, or beyond \(Decimal.limit)")
    }
    return value
  }

  private static func attributes(
    of json: JSONValue, _ codes: Set<String>, _ sku: String
  ) throws(ProductProblem) -> [String: [String]] {
    var found: [String: [String]] = [:]
    for attribute in json["custom_attributes"]?.elements ?? [] {
      guard let code = attribute["attribute_code"]?.string, codes.contains(code), let value = attribute["value"] else {
        continue
      }
      found[code] = values(value)
    }
    // What the shop has in columns of its own is no custom attribute, but may be mapped like one.
    for code in codes where found[code] == nil {
      if let value = json[code], [.string, .number, .bool].contains(value.kind) { found[code] = values(value) }
    }
    for (code, values) in found {
      let bytes = values.reduce(0) { $0 + $1.utf8.count }
      guard bytes <= CatalogRules.textBytes else {
        throw ProductProblem(sku, "attribute \(code) has \(bytes) bytes; at most \(CatalogRules.textBytes)")
      }
    }
    return found
  }

  /// A text, a number, or a list of them.
  private static func values(_ value: JSONValue) -> [String] {
    switch value.kind {
    case .null: []
    case .array: (value.elements ?? []).flatMap { values($0) }
    case .string: value.string.map { [$0] } ?? []
    case .number, .bool, .object: [value.text]
    }
  }
}
