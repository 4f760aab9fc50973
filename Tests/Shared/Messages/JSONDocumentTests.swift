import Messages
import TestSupport
import Testing

@Suite("JSON text")
struct JSONDocumentTests {
  @Test(
    "valid JSON is accepted",
    arguments: [
      "{}", "[]", "null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E5", "\"\"", "\"a\\u00e9\\n\\\"\"",
      " [ 1 , 2 ] ",
      "{\"a\":{\"b\":[{},[],\"\"]}}", "\t\r\n1", "{\"a\":1,\"a\":2}", "\"\u{7f}ü😀\"",
    ])
  func valid(text: String) throws {
    #expect(throws: Never.self) { try JSONDocument(parsing: Array(text.utf8)) }
  }

  @Test(
    "everything else is not",
    arguments: [
      "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
      "{\"a\":1,}",
      "{a:1}", "{1:1}", "{\"a\" 1}", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "nul", "nulll", "truE",
      "'a'",
      "\"", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"a\nb\"", "\"a\u{0}b\"", "1 2", "[1 2]", "[1]]", "{}{}",
      "[}",
      "{]", "//", "\u{feff}1",
    ])
  func invalid(text: String) {
    #expect(throws: MessageError.self) { try JSONDocument(parsing: Array(text.utf8)) }
  }

  @Test(
    "text that is not UTF-8 is refused",
    arguments: [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]] as [[UInt8]])
  func notUTF8(bytes: [UInt8]) {
    #expect(throws: MessageError.invalidUTF8(field: "")) { try JSONDocument(parsing: bytes) }
  }

  @Test("100 levels are accepted, 101 are not, and 1 000 000 neither, in objects and arrays")
  func nesting() throws {
    func nested(_ levels: Int, _ open: String, _ close: String) -> [UInt8] {
      Array((String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)).utf8)
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      #expect(throws: Never.self) { try JSONDocument(parsing: nested(100, open, close)) }
      for levels in [101, 10_000, 1_000_000] {
        #expect(throws: MessageError.tooDeep(field: "")) { try JSONDocument(parsing: nested(levels, open, close)) }
      }
    }
  }

  @Test(
    "strings are unescaped; half a surrogate pair becomes the replacement character",
    arguments: [
      (#""""#, ""), (#""a\tb\\\/\"""#, "a\tb\\/\""), (#""\u00e9""#, "é"), (#""\ud83d\ude00""#, "😀"),
      (#""\ud83d""#, "\u{fffd}"), (#""\ud83dx""#, "\u{fffd}x"), (#""\ude00""#, "\u{fffd}"), ("1", nil),
    ] as [(String, String?)])
  func strings(text: String, expected: String?) throws {
    #expect(try JSONDocument(parsing: Array(text.utf8)).root.string == expected)
  }

  @Test("of members with one name the last counts")
  func repeatedMembers() throws {
    let root = try JSONDocument(parsing: Array(#"{"a":1.50,"\u0061":2e0}"#.utf8)).root
    #expect(root["a"]?.text == "2e0")
  }

  @Test("what is written is read again", arguments: ["", "a\"b\\c", "\u{1}\u{1f}\n\r\t", "é😀", "\u{2028}"])
  func roundTrip(text: String) throws {
    #expect(try JSONDocument(parsing: Array(JSONText.quoted(text).utf8)).root.string == text)
  }

  @Test(
    "whatever bytes come, there is an answer, and what is accepted is written so that it can be read again",
    arguments: 0..<20 as Range<UInt64>)
  func mutations(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let start = Array(#"{"id":"d-1","method":"m","params":{"a":[1,2.5e3,true,null,"\u00e9\n"],"b":{"c":[]}}}"#.utf8)
    for _ in 0..<2000 {
      var bytes = start
      for _ in 0...Int.random(in: 0...4, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0...2, using: &random) {
        case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: index)
        default: bytes.insert(start.randomElement(using: &random) ?? 0, at: index)
        }
      }
      guard let root = try? JSONDocument(parsing: bytes).root else { continue }
      let written = root.serialized
      #expect(try JSONDocument(parsing: written).root.serialized == written)
    }
  }
}
