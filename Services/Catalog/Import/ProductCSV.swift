import Commerce
import ServiceKit

/// The columns of Magento's product CSV, and of the forms of its sample data (bundle_options, associated_sku, a column for each
/// attribute).
struct ProductCSV: Sendable {
  private let columns: [String: Int]
  private let codes: Set<String>
  private let count: Int
  /// The forms of the shop's sample data name the attribute set in a column of another name, and no type.
  private let isSampleData: Bool

  /// What a row is about.
  enum Row: Sendable, Equatable {
    case product(FileProduct)
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
    isSampleData = columns["attribute_set"] != nil && columns["product_type"] == nil
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
    if !view.isEmpty {
      let name = text("name", row) ?? ""
      try Self.check(name, sku)
      return .name(sku: sku, view: view, name: name)
    }
    return .product(try product(row, sku))
  }

  private func product(_ row: CSVRow, _ sku: String) throws(ProductProblem) -> FileProduct {
    var product = FileProduct(sku: sku)
    // The shop does not let these be emptied.
    product.name = text("name", row)
    product.type = text("product_type", row)
    product.supposedType = supposedType(row)
    // Exports say 1 and 2, imports 1 and 0.
    product.isEnabled = text("product_online", row).map { !["0", "2"].contains($0) }
    product.price = try number("price", row, sku)
    product.weight = try number("weight", row, sku)
    product.emptiesWeight = value("weight", row) == FileProduct.emptied
    product.createdAt = ShopTime.seconds(value("created_at", row))
    product.childSKUs = try variants(row, sku)
    product.attributes = attributes(row)
    for text in [product.name ?? ""] + product.attributes.values.flatMap({ $0 }) { try Self.check(text, sku) }
    return product
  }

  private static func check(_ text: String, _ sku: String) throws(ProductProblem) {
    guard text.utf8.count <= CatalogRules.textBytes else {
      throw ProductProblem(sku, "has a text of \(text.utf8.count) bytes; at most \(CatalogRules.textBytes)")
    }
  }

  private func value(_ column: String, _ row: CSVRow) -> String {
    guard let index = columns[column], index < row.fields.count else { return "" }
    return row.fields[index]
  }

  /// nil when the file does not say it, or empties it.
  private func text(_ column: String, _ row: CSVRow) -> String? {
    let text = value(column, row)
    return text.isEmpty || text == FileProduct.emptied ? nil : text
  }

  private func number(_ column: String, _ row: CSVRow, _ sku: String) throws(ProductProblem) -> Decimal? {
    guard let text = text(column, row) else { return nil }
    guard let number = Decimal(text) else {
      throw ProductProblem(sku, "\(column) \"\(text.prefix(40))\" is no number, or beyond \(Decimal.limit)")
    }
    return number
  }

  private func supposedType(_ row: CSVRow) -> String? {
    let telling = [
      ("configurable_variations", "configurable"), ("bundle_options", "bundle"), ("bundle_values", "bundle"),
      ("associated_sku", "grouped"), ("associated_skus", "grouped"), ("links_title", "downloadable"),
      ("downloadable_links", "downloadable"),
    ]
    return telling.first { text($0.0, row) != nil }?.1 ?? (isSampleData ? "simple" : nil)
  }

  /// `sku=A,size=S|sku=B,size=M`
  private func variants(_ row: CSVRow, _ sku: String) throws(ProductProblem) -> [String]? {
    let text = value("configurable_variations", row)
    if text.isEmpty { return nil }
    if text == FileProduct.emptied { return [] }
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
    for (name, text) in Self.pairs(value("additional_attributes", row)[...]) where codes.contains(name) && !text.isEmpty
    {
      found[name] = text == FileProduct.emptied ? [] : [text]
    }
    for code in codes {
      let text = value(code, row)
      // The sample data has the choices of one attribute on lines of their own.
      if text.isEmpty { continue }
      found[code] = text == FileProduct.emptied ? [] : text.split(whereSeparator: \.isNewline).map(String.init)
    }
    let image = value("base_image", row)
    if !image.isEmpty { found["image"] = image == FileProduct.emptied ? [] : [image] }
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
