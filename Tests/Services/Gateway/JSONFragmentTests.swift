import Messages
import Testing

@testable import Gateway

@Suite struct JSONFragmentTests {
  @Test(
    "valid JSON is accepted",
    arguments: [
      "{}", "[]", "null", "true", "false", "0", "-0", "12", "-1.5e+10", "1E5", "\"\"", "\"a\\u00e9\\n\\\"\"",
      " [ 1 , 2 ] ",
      "{\"a\":{\"b\":[{},[],\"\"]}}", "\t\r\n1", "{\"a\":1,\"a\":2}", "\"\u{7f}ü😀\"",
    ])
  func valid(text: String) throws {
    let fragment = try JSONFragment(parsing: Array(text.utf8))
    #expect(fragment.text == String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed()))
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
    #expect(throws: JSONSyntaxError.self) { try JSONFragment(parsing: Array(text.utf8)) }
  }

  @Test(
    "text that is not UTF-8 is refused",
    arguments: [[0x22, 0xff, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]] as [[UInt8]])
  func notUTF8(bytes: [UInt8]) {
    #expect(throws: JSONSyntaxError.notUTF8) { try JSONFragment(parsing: bytes) }
  }

  @Test("100 levels are accepted, 101 are not, and 1 000 000 neither, in objects and arrays")
  func nesting() throws {
    func nested(_ levels: Int, _ open: String, _ close: String) -> [UInt8] {
      Array((String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)).utf8)
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
      #expect(throws: Never.self) { try JSONFragment(parsing: nested(100, open, close)) }
      for levels in [101, 10_000, 1_000_000] {
        #expect(throws: JSONSyntaxError.tooDeep(limit: 100)) { try JSONFragment(parsing: nested(levels, open, close)) }
      }
    }
  }

  @Test("members are found by name, as the sender wrote them, the last of several")
  func members() throws {
    let text = #" { "a" : 1.50 , "b":{"c":"d"}, "\u0065" : [ 1, 2 ] , "a":2e0 } "#
    let fragment = try JSONFragment(parsing: Array(text.utf8))
    #expect(fragment.member("a")?.text == "2e0")
    #expect(fragment.member("b")?.member("c")?.string == "d")
    #expect(fragment.member("e")?.text == "[ 1, 2 ]")
    #expect(fragment.member("x") == nil)
    #expect(fragment.member("a")?.member("b") == nil)
  }

  @Test(
    "strings are unescaped",
    arguments: [
      (#""""#, ""), (#""a\tb\\\/\"""#, "a\tb\\/\""), (#""\u00e9""#, "é"), (#""\ud83d\ude00""#, "😀"),
      (#""\ud83d""#, nil),
      (#""\ud83dx""#, nil), (#""\ude00""#, nil), (#""\u0000""#, "\0"), ("1", nil),
    ] as [(String, String?)])
  func strings(text: String, expected: String?) throws {
    #expect(try JSONFragment(parsing: Array(text.utf8)).string == expected)
  }

  @Test("what is encoded is decoded again", arguments: ["", "a\"b\\c", "\u{0}\u{1f}\n\r\t", "é😀", "\u{2028}"])
  func roundTrip(text: String) throws {
    #expect(try JSONFragment(parsing: Array(JSONText.quoted(text).utf8)).string == text)
  }

  @Test(
    "whatever bytes come, there is an answer, and what is accepted can be gone through",
    arguments: 0..<20 as Range<UInt64>)
  func mutations(seed: UInt64) {
    var random = Seeded(state: seed)
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
      guard let fragment = try? JSONFragment(parsing: bytes) else { continue }
      var names = 0
      fragment.forEachMember { _, value in
        names += 1
        value.forEachMember { _, _ in names += 1 }
      }
      #expect(names <= bytes.count)
    }
  }
}

/// SplitMix64: the same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
