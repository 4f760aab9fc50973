import Testing

@testable import Catalog

@Suite("Taking CSV apart")
struct CSVParserTests {
  /// The rows of a text that comes in parts of so many bytes.
  private func rows(_ text: String, parts: Int = .max) throws -> [CSVRow] {
    var parser = CSVParser()
    var rows: [CSVRow] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: min(parts, max(bytes.count, 1))) {
      try parser.feed(Array(bytes[start..<min(bytes.count, start + min(parts, bytes.count))])) { rows.append($0) }
    }
    try parser.finish { rows.append($0) }
    return rows
  }

  @Test(
    "fields, quotes, lines and their ends, in parts of any size",
    arguments: [
      ("a,b\n1,2\n", [(1, ["a", "b"]), (2, ["1", "2"])]),
      ("a,b\r\n1,2", [(1, ["a", "b"]), (2, ["1", "2"])]),
      ("a\r1\r", [(1, ["a"]), (2, ["1"])]),
      ("\u{FEFF}sku\n\nÄ\n", [(1, ["sku"]), (3, ["Ä"])]),
      ("\"a\"\"b\",\"c,d\ne\",\n\"\",x,\"\"\n", [(1, ["a\"b", "c,d\ne", ""]), (3, ["", "x", ""])]),
      ("a\"b,c d\"\n", [(1, ["a\"b", "c d\""])]),
      (",\n", [(1, ["", ""])]), ("", []), ("\n\r\n\n", []),
    ] as [(String, [(Int, [String])])])
  func fields(text: String, expected: [(line: Int, fields: [String])]) throws {
    for parts in [1, 2, 3, 7, Int.max] {
      #expect(try rows(text, parts: parts) == expected.map { CSVRow(line: $0.line, fields: $0.fields) })
    }
  }

  @Test(
    "what can't be taken apart says on which line",
    arguments: [
      ("a\n\"b\nc\n", 2, "not closed"), ("a\n\"b\"c\n", 2, "closing quote"), ("a\n\0\n", 2, "not UTF-8"),
      (String(repeating: ",", count: CSVParser.columns), 1, "fields"),
      ("a\n" + String(repeating: "b", count: CSVParser.fieldBytes + 1), 2, "bytes"),
      (
        String(repeating: String(repeating: "b", count: CSVParser.fieldBytes) + ",", count: 5), 1, "row has more than"
      ),
    ])
  func problems(text: String, line: Int, reason: String) {
    let problem = #expect(throws: CSVProblem.self) { try rows(text) }
    #expect(problem?.line == line)
    #expect(problem?.reason.contains(reason) == true)
  }
}

@Suite("Products of a CSV file")
struct ProductCSVTests {
  private func product(_ columns: [String: String], of header: [String]? = nil) throws -> ProductCSV.Row {
    let header = header ?? columns.keys.sorted()
    let file = try ProductCSV(
      header: CSVRow(line: 1, fields: header), codes: ProductMapping.attributeCodes(mapping))
    return try file.row(CSVRow(line: 2, fields: header.map { columns[$0] ?? "" }))
  }

  private func only(_ columns: [String: String]) throws -> ShopProduct {
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
    #expect(product.price?.text == "52" && product.weight?.text == "1" && !product.isEnabled)
    #expect(product.createdAt == 1_706_933_106 && product.childSKUs == ["SHIRT-S", "SHIRT-M"])
    #expect(
      product.attributes == ["color": ["Sea, blue"], "activity": ["Gym|Yoga"], "image": ["/s/h/shirt.jpg"]])
  }

  @Test(
    "a type that is not said is told by its columns",
    arguments: [
      ("configurable_variations", "sku=A", "configurable"), ("bundle_options", "x", "bundle"),
      ("bundle_values", "x", "bundle"), ("associated_sku", "A", "grouped"), ("associated_skus", "A=1", "grouped"),
      ("links_title", "Downloads", "downloadable"), ("price", "1", "simple"),
    ])
  func guessed(column: String, value: String, type: String) throws {
    #expect(try only(["sku": "A", column: value]).type == type)
  }

  @Test("attributes in columns of their own, several values on lines; how bundles ship; which card a gift is")
  func columns() throws {
    let product = try only([
      "sku": "A", "activity": "Gym\nYoga", "bundle_shipment_type": "together", "giftcard_type": "Combined",
    ])
    #expect(product.attributes == ["activity": ["Gym", "Yoga"], "shipment_type": ["0"], "giftcard_type": ["2"]])
  }

  @Test("rows of other store views name them, rows without a SKU go on with the product before")
  func rows() throws {
    #expect(
      try product(["sku": "A", "store_view_code": "german", "name": "Becher"])
        == .name(sku: "A", view: "german", name: "Becher"))
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
