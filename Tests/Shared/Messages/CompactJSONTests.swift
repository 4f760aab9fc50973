import Messages
import Testing

@Suite("JSON without blanks")
struct CompactJSONTests {
  private func compact(_ text: String) throws -> CompactJSON { try CompactJSON(parsing: Array(text.utf8)) }

  /// What is said of the text, or the error that it is refused with.
  private func outcome(_ parse: () throws -> String) -> String {
    do { return try parse() } catch { return "\(error)" }
  }

  static let texts = [
    "{}", "[]", " [ ] ", "{ }", "null", " true ", "false", "0", "-1", "12345678901234567890123", "1.50", "4.20e1",
    "1E-7",
    "-0", "-0.0", "0.5", "\"\"", "\"a b\"", "\"é€😀\"", #""a\"b\\c\/\u00e9\n""#, #"{"a":1}"#,
    #"{ "a" : [ 1 , 2 , { } ] }"#,
    "[[],[[]],{\"a\":{}}]", "{\"a\":{\"b\":[true,false,null]},\"c\":\"d\"}", "\t[1,\r\n2]\n",
    "[\"}\",\"]\",\"{\",\",\"]",
    String(repeating: "[", count: 70) + String(repeating: "]", count: 70),
    // Not well-formed.
    "", " ", "{", "}", "[1,]", "{\"a\":1,}", "{\"a\"}", "{\"a\":}", "{a:1}", "{1:2}", "[1 2]", "{\"a\" 1}", "1 2",
    "[1]]",
    "{\"a\":1]", "[1}", "01", "-", "1.", ".5", "1e", "+1", "tru", "nulll", "True", "'a'", "\"a", "\"a\u{1}\"",
    "\"a\nb\"",
    "[1,,2]", ",", ":", "\"a\":1", "/*x*/1", "{\"a\":1}x", #""\u0000""#, #""\x""#, #""\ud800""#, "\u{feff}1",
    String(repeating: "[", count: 101) + String(repeating: "]", count: 101),
  ]

  @Test("says the same as the parser, and refuses what the parser refuses, for the same reason", arguments: texts)
  func sameAsParser(text: String) {
    let bytes = Array(text.utf8)
    #expect(
      outcome { try CompactJSON(parsing: bytes).text }
        == outcome { try JSONDocument(parsing: bytes).root.text })
  }

  @Test(
    "bytes that are no text are refused as the parser does",
    arguments: [[0x22, 0xff, 0x22], [0x31, 0], [0xc3]] as [[UInt8]])
  func notText(bytes: [UInt8]) {
    #expect(
      outcome { try CompactJSON(parsing: bytes).text }
        == outcome { try JSONDocument(parsing: bytes).root.text })
  }

  @Test("so it is with a message that lost, gained or changed a byte somewhere")
  func mutations() {
    let text = Array(
      #" {"id": "a-1", "x":[1.50, -2e+3, true,null,{}], "p":{"k":{"é":"€"},"n":0} , "last":[] } "#.utf8)
    var random = SplitMix(state: 20_260_101)
    let bytes = Array("{}[]\",:0123456789.-+eEtrufalsn \t\\x".utf8)
    for _ in 0..<20_000 {
      var mutant = text
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        let position = Int.random(in: 0..<mutant.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: mutant.remove(at: position)
        case 1: mutant.insert(bytes.randomElement(using: &random) ?? 0x20, at: position)
        default: mutant[position] = bytes.randomElement(using: &random) ?? 0x20
        }
      }
      let parsed = outcome { try JSONDocument(parsing: mutant).root.text }
      let compact = outcome {
        // Members of one name are all there still; the parser takes them for one.
        try JSONDocument(parsing: CompactJSON(parsing: mutant).bytes).root.text
      }
      #expect(compact == parsed, "\(String(decoding: mutant, as: UTF8.self))")
    }
  }

  @Test("a value of any kind is looked into", arguments: [true, false])
  func members(withEscapes: Bool) throws {
    // An escape leaves it to the parser, and nobody may notice.
    let text =
      #"{"id": [1, 2], "a":{"b" : "c", "d":{}}, "n":-1.50,"t":true,"z":null, "e":"\#(withEscapes ? #"\u0078"# : "x")"}"#
    let root = try compact(text)
    #expect(root.kind == .object)
    #expect(root["id"]?.kind == .array && root["id"]?.text == "[1,2]" && root["id"]?.string == nil)
    #expect(root["a"]?["b"]?.string == "c" && root["a"]?["d"]?.text == "{}" && root["a"]?["d"]?["x"] == nil)
    #expect(root["n"]?.kind == .number && root["n"]?.text == "-1.50")
    #expect(root["t"]?.kind == .bool && root["z"]?.kind == .null && root["e"]?.string == "x")
    #expect(root["b"] == nil && root["i"] == nil && root["n"]?["x"] == nil)
    #expect(root["a"].map { String(decoding: $0.bytes, as: UTF8.self) } == #"{"b":"c","d":{}}"#)
    #expect(root.members(["z", "absent", "t"]).map { $0?.text } == ["null", nil, "true"])
  }

  @Test("of members with one name the last counts")
  func duplicates() throws {
    let root = try compact(#"{"a":{"b":1},"a":{"c":2},"a":{"c":3}}"#)
    #expect(root["a"]?.text == #"{"c":3}"# && root["a"]?["b"] == nil)
  }

  @Test("texts with escapes are read")
  func escapes() throws {
    let root = try compact(#"{"a":"x\"y\\\u00e9\n","b":"}"}"#)
    #expect(root["a"]?.string == "x\"y\\é\n" && root["b"]?.string == "}")
  }

  @Test("as many values and containers as the parser takes, and no more")
  func limits() throws {
    func list(_ count: Int, of element: String) -> String {
      "[" + Array(repeating: element, count: count).joined(separator: ",") + "]"
    }
    for text in [list(499_999, of: "1"), list(500_001, of: "1"), list(99_999, of: "[]"), list(100_001, of: "[]")] {
      let bytes = Array(text.utf8)
      #expect(
        outcome { "\(try CompactJSON(parsing: bytes).bytes.count)" }
          == outcome { "\(try JSONDocument(parsing: bytes).root.serialized.count)" })
    }
  }
}
