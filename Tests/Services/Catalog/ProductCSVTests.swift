import Commerce
import Testing

@testable import Catalog

@Suite("Products of a CSV file")
struct ProductCSVTests {
  private func product(_ columns: [String: String], of header: [String]? = nil) throws -> ProductCSV.Row {
    let header = header ?? columns.keys.sorted()
    let file = try ProductCSV(
      header: CSVRow(line: 1, fields: header), codes: ProductMapping.attributeCodes(mapping))
    return try file.row(CSVRow(line: 2, fields: header.map { columns[$0] ?? "" }))
  }

  private func only(_ columns: [String: String]) throws -> FileProduct {
    guard case .product(let product) = try product(columns) else { throw ProductProblem("", "no product") }
    return product
  }

  @Test("the columns of an export")
  func export() throws {
    let product = try only([
      "sku": "SHIRT", "product_type": "configurable", "name": "Shirt", "price": "52.0000", "weight": "1",
      "product_online": "2", "base_image": "/s/h/shirt.jpg", "created_at": "2024-02-03 04:05:06",
      "additional_attributes": "has_options=0,color=Sea, blue,activity=Gym|Yoga",
      "configurable_variations": "sku=SHIRT-S,size=S|sku=SHIRT-M,size=M",
    ])
    #expect(product.sku == "SHIRT" && product.type == "configurable" && product.name == "Shirt")
    #expect(product.price?.text == "52" && product.weight?.text == "1" && product.isEnabled == false)
    #expect(product.createdAt == 1_706_933_106 && product.childSKUs == ["SHIRT-S", "SHIRT-M"])
    #expect(
      product.attributes == ["color": ["Sea, blue"], "activity": ["Gym|Yoga"], "image": ["/s/h/shirt.jpg"]])
  }

  @Test(
    "a type that is not said is supposed by its columns",
    arguments: [
      ("configurable_variations", "sku=A", "configurable"), ("bundle_options", "x", "bundle"),
      ("bundle_values", "x", "bundle"), ("associated_sku", "A", "grouped"), ("associated_skus", "A=1", "grouped"),
      ("links_title", "Downloads", "downloadable"), ("price", "1", nil), ("attribute_set", "Bag", "simple"),
    ] as [(String, String, String?)])
  func supposed(column: String, value: String, type: String?) throws {
    let product = try only(["sku": "A", column: value])
    #expect(product.type == nil && product.supposedType == type)
  }

  @Test("attributes in columns of their own, several values on lines; how bundles ship; which card a gift is")
  func columns() throws {
    let product = try only([
      "sku": "A", "activity": "Gym\nYoga", "bundle_shipment_type": "together", "giftcard_type": "Combined",
    ])
    #expect(product.attributes == ["activity": ["Gym", "Yoga"], "shipment_type": ["0"], "giftcard_type": ["2"]])
  }

  @Test("what a file does not say, and an empty cell, are nothing; the shop's word for empty empties")
  func unsaid() throws {
    let nothing = FileProduct(sku: "A")
    #expect(try only(["sku": "A"]) == nothing)
    let columns = [
      "name", "product_type", "product_online", "price", "weight", "created_at", "base_image",
      "configurable_variations",
      "additional_attributes", "color", "bundle_shipment_type",
    ]
    var row = Dictionary(uniqueKeysWithValues: columns.map { ($0, "") })
    row["sku"] = "A"
    #expect(try only(row) == nothing)
    for column in ["weight", "base_image", "configurable_variations", "color", "price"] {
      row[column] = FileProduct.emptied
    }
    row["additional_attributes"] = "activity=\(FileProduct.emptied),has_options=1"
    let emptied = try only(row)
    #expect(emptied.emptiesWeight && emptied.weight == nil && emptied.price == nil && emptied.childSKUs == [])
    #expect(emptied.attributes == ["image": [], "color": [], "activity": []])
  }

  @Test("rows of other store views name them, rows without a SKU go on with the product before")
  func rows() throws {
    #expect(
      try product(["sku": "A", "store_view_code": "german", "name": "Becher"])
        == .name(sku: "A", view: "german", name: "Becher"))
    let long = String(repeating: "x", count: CatalogRules.textBytes + 1)
    #expect(throws: ProductProblem.self) { try product(["sku": "A", "store_view_code": "german", "name": long]) }
    #expect(try product(["sku": "", "name": "x"]) == .continuation)
  }

  @Test(
    "what is wrong with a row is said",
    arguments: [
      (["sku": "A", "price": "dear"], "price \"dear\""),
      (["sku": "A", "configurable_variations": "size=S"], "names no sku"),
      (["sku": String(repeating: "A", count: 1_025)], "1025 bytes"),
    ])
  func problems(columns: [String: String], reason: String) {
    let problem = #expect(throws: ProductProblem.self) { try product(columns) }
    #expect(problem?.description.contains(reason) == true)
  }

  @Test("what is no file of products is none", arguments: [["name"], ["sku", "sku"]])
  func headers(columns: [String]) {
    #expect(throws: CSVProblem.self) {
      try ProductCSV(header: CSVRow(line: 1, fields: columns), codes: [])
    }
  }
}
