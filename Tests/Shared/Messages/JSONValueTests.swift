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

  @Test(
    "a text and a number are read alike, whichever of them was written; null is no text",
    arguments: [
      (#""7""#, "7", 7), ("7", "7", 7), ("7.50", "7.50", nil), ("true", "true", nil), (#""""#, "", nil),
      ("9223372036854775807", "9223372036854775807", 9_223_372_036_854_775_807),
      ("9223372036854775808", "9223372036854775808", nil), ("null", nil, nil), (#""null""#, "null", nil),
      ("[7]", nil, nil), (#"{"a":7}"#, nil, nil),
    ] as [(String, String?, Int64?)])
  func scalars(json: String, text: String?, integer: Int64?) throws {
    let value = try JSONDocument(parsing: Array(json.utf8)).root
    #expect(value.scalar == text)
    #expect(value.integer == integer)
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

  @Test("members are written otherwise where that is wanted, on every level")
  func replaced() throws {
    let text = #"{"a":{"secret":"x","n":-0.50},"secret":[1],"b":[{"secret":null},18446744073709551615,"é\n"]}"#
    let value = try JSONDocument(parsing: Array(text.utf8)).root
    var output: [UInt8] = []
    value.append(to: &output) { name, value, output in
      guard name.elementsEqual("secret".utf8), value.kind != .array else { return false }
      output += "0".utf8
      return true
    }
    #expect(
      String(decoding: output, as: UTF8.self)
        == #"{"a":{"secret":0,"n":-0.50},"secret":[1],"b":[{"secret":0},18446744073709551615,"é\n"]}"#)
    #expect(value.serialized == Array(text.utf8))
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
