import Commerce
import ServiceKit

/// The columns of Magento's product CSV, and of the forms of its sample data (bundle_options, associated_sku, a column for each
/// attribute).
struct ProductCSV: Sendable {
  private let columns: [String: Int]
  private let codes: Set<String>
  private let count: Int

  /// What a row is about.
  enum Row: Sendable, Equatable {
    case product(ShopProduct)
    /// What another store view says of the product before.
    case name(sku: String, view: String, name: String)
    /// More of the product before: pictures, options.
    case continuation
  }

  /// - Parameter codes: of the attributes that are read.
  /// - Throws: when it is no file of products.
  init(header: CSVRow, codes: Set<String>) throws(CSVProblem) {
    var columns: [String: Int] = [:]
    for (index, name) in header.fields.enumerated() {
      guard columns.updateValue(index, forKey: name) == nil else {
        throw CSVProblem(line: header.line, reason: "column \"\(quotable(name))\" is there twice")
      }
    }
    guard columns["sku"] != nil else {
      throw CSVProblem(line: header.line, reason: "has no column sku; send a product CSV as the shop exports it")
    }
    self.columns = columns
    self.codes = codes
    count = header.fields.count
  }

  /// - Throws: what is wrong with the row; the others are good all the same.
  func row(_ row: CSVRow) throws(ProductProblem) -> Row {
    let sku = value("sku", row)
    guard row.fields.count == count else {
      throw ProductProblem(sku, "has \(row.fields.count) fields instead of \(count)")
    }
    if sku.isEmpty { return .continuation }
    if let problem = CatalogRules.problem(ofSKU: sku) { throw ProductProblem(sku, problem) }
    let view = value("store_view_code", row)
    if !view.isEmpty { return .name(sku: sku, view: view, name: value("name", row)) }
    var product = ShopProduct(sku: sku)
    product.name = value("name", row)
    product.type = type(of: row)
    // Exports say 1 and 2, imports 1 and 0.
    product.isEnabled = !["0", "2"].contains(value("product_online", row))
    product.price = try number("price", row, sku)
    product.weight = try number("weight", row, sku)
    product.createdAt = ShopTime.seconds(value("created_at", row))
    product.childSKUs = try variants(row, sku)
    product.attributes = attributes(row)
    for text in [product.name] + product.attributes.values.flatMap({ $0 })
    where text.utf8.count > CatalogRules.textBytes {
      throw ProductProblem(sku, "has a text of \(text.utf8.count) bytes; at most \(CatalogRules.textBytes)")
    }
    return .product(product)
  }

  private func value(_ column: String, _ row: CSVRow) -> String {
    guard let index = columns[column], index < row.fields.count else { return "" }
    return row.fields[index]
  }

  private func number(_ column: String, _ row: CSVRow, _ sku: String) throws(ProductProblem) -> Decimal? {
    let text = value(column, row)
    if text.isEmpty { return nil }
    guard let number = Decimal(text) else {
      throw ProductProblem(sku, "\(column) \"\(text.prefix(40))\" is no number, or beyond \(Decimal.limit)")
    }
    return number
  }

  /// What the file does not say is told by the columns that only one type has.
  private func type(of row: CSVRow) -> String {
    let type = value("product_type", row)
    if !type.isEmpty { return type }
    let telling = [
      ("configurable_variations", "configurable"), ("bundle_options", "bundle"), ("bundle_values", "bundle"),
      ("associated_sku", "grouped"), ("associated_skus", "grouped"), ("links_title", "downloadable"),
      ("downloadable_links", "downloadable"),
    ]
    return telling.first { !value($0.0, row).isEmpty }?.1 ?? "simple"
  }

  /// `sku=A,size=S|sku=B,size=M`
  private func variants(_ row: CSVRow, _ sku: String) throws(ProductProblem) -> [String] {
    let text = value("configurable_variations", row)
    var skus: [String] = []
    for variation in text.split(separator: "|") {
      guard let variant = Self.pairs(variation).first(where: { $0.name == "sku" })?.value, !variant.isEmpty else {
        throw ProductProblem(sku, "configurable_variations: \"\(variation.prefix(100))\" names no sku")
      }
      skus.append(variant)
    }
    guard skus.count <= CatalogRules.children else {
      throw ProductProblem(sku, "has \(skus.count) variants; at most \(CatalogRules.children)")
    }
    return skus
  }

  private func attributes(_ row: CSVRow) -> [String: [String]] {
    var found: [String: [String]] = [:]
    for (name, text) in Self.pairs(value("additional_attributes", row)[...]) where codes.contains(name) {
      found[name] = [text]
    }
    for code in codes {
      let text = value(code, row)
      // The sample data has the choices of one attribute on lines of their own.
      if !text.isEmpty { found[code] = text.split(whereSeparator: \.isNewline).map(String.init) }
    }
    let image = value("base_image", row)
    if !image.isEmpty { found["image"] = [image] }
    if let type = Self.shipmentTypes[value("bundle_shipment_type", row).lowercased()] {
      found["shipment_type"] = [type]
    }
    if let type = Self.giftCardTypes[value("giftcard_type", row).lowercased()] { found["giftcard_type"] = [type] }
    return found
  }

  private static let shipmentTypes = ["together": "0", "separately": "1"]
  private static let giftCardTypes = ["virtual": "0", "physical": "1", "combined": "2"]

  /// `a=1,b=2`; a comma with no name behind it belongs to the value.
  static func pairs(_ text: Substring) -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    for piece in text.split(separator: ",", omittingEmptySubsequences: false) {
      if let equals = piece.firstIndex(of: "=") {
        pairs.append((String(piece[..<equals]), String(piece[piece.index(after: equals)...])))
      } else if !pairs.isEmpty {
        pairs[pairs.count - 1].value += ",\(piece)"
      }
    }
    return pairs
  }
}
