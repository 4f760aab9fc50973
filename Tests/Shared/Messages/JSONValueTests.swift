import Messages
import Testing

@Suite("JSON of any shape")
struct JSONValueTests {
  @Test("a JSON-RPC request is taken apart without knowing its params")
  func request() throws {
    let text = #"{"id": 12345678901234567890123, "method":"a.b", "params": {"x": [4.20, "é\/", null]}}"#
    let root = try JSONDocument(parsing: Array(text.utf8)).root
    #expect(root.kind == .object)
    #expect(root["id"]?.kind == .number)
    #expect(root["id"]?.text == "12345678901234567890123")
    #expect(root["method"]?.string == "a.b")
    #expect(root["params"].map { String(decoding: $0.serialized, as: UTF8.self) } == #"{"x":[4.20,"é/",null]}"#)
    #expect(root["params"]?["x"]?.elements?.map(\.kind) == [.number, .string, .null])
    #expect(root["absent"] == nil)
    #expect(root["method"]?["x"] == nil)
    #expect(root["method"]?.elements == nil)
  }

  @Test("an id of any type is echoed", arguments: ["1", "\"a\\\"b\"", "null", "1.50", "[1,{\"a\":2}]", "true", "-7"])
  func id(text: String) throws {
    let root = try JSONDocument(parsing: Array("{\"id\": \(text)}".utf8)).root
    #expect(root["id"]?.text == text)
  }

  @Test("a member that is null is there, with that kind")
  func nullMember() throws {
    let root = try JSONDocument(parsing: Array(#"{"id": null}"#.utf8)).root
    #expect(root["id"]?.kind == .null)
  }

  @Test(
    "a document may be any one value, with blanks around it",
    arguments: [
      ("null", .null), (" 1 ", .number), ("1.5", .number), ("\"a\"\n", .string), ("[ ]", .array), ("false", .bool),
    ]
      as [(String, JSONValue.Kind)])
  func documents(text: String, kind: JSONValue.Kind) throws {
    #expect(try JSONDocument(parsing: Array(text.utf8)).root.kind == kind)
  }

  @Test("a part of a document is decoded by itself, so that a bad row does not sink the others")
  func partialDecoding() throws {
    let text = #"[{"sku":"A","quantity":1},{"sku":{}},{"sku":"C"}]"#
    let rows = try #require(try JSONDocument(parsing: Array(text.utf8)).root.elements)
    let decoded = rows.map { try? Magento.Oms.V1.AggregateStockRow(json: $0) }
    #expect(decoded == [.init(sku: "A", quantity: "1"), nil, .init(sku: "C")])
  }

  @Test("a value keeps its document alive")
  func lifetime() throws {
    func member() throws -> JSONValue? { try JSONDocument(parsing: Array(#"{"a":{"b":"c"}}"#.utf8)).root["a"] }
    #expect(try member()?.text == #"{"b":"c"}"#)
  }

  @Test(
    "text is escaped for logs",
    arguments: [
      ("", #""""#), ("a\"b\\c", #""a\"b\\c""#), ("\u{0}\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
      ("\r\n\t", #""\r\n\t""#),
      ("é🙂", "\"é🙂\""),
    ])
  func escaping(text: String, expected: String) {
    #expect(JSONText.quoted(text) == expected)
  }
}
