import Messages
import Testing

@Suite("Messages from JSON")
struct JSONDecodingTests {
  private typealias AllTypes = Fixtures.V1.AllTypes

  private func decode(_ json: String) throws -> Fixtures.V1.AllTypes { try .init(json: Array(json.utf8)) }

  @Test("a message of the bus is read, with unknown members ignored")
  func busMessage() throws {
    let json = """
      {"snapshot":{"aggregate_id":"EU-WEB","mode":"DELTA","created_on":"2024-02-03T04:05:06+00:00","batch":{"a":[1]},
      "stock":[{"sku":"MUG-BLUE","quantity":14},{"sku":"EBOOK-1","quantity":"0","unlimited":true,"x":null}]}}
      """
    let message = try Magento.Oms.V1.AggregateStockUpdated(json: Array(json.utf8))
    #expect(
      message
        == .init(
          snapshot: .init(
            aggregateId: "EU-WEB", mode: "DELTA", createdOn: "2024-02-03T04:05:06+00:00",
            stock: [.init(sku: "MUG-BLUE", quantity: "14"), .init(sku: "EBOOK-1", quantity: "0", unlimited: true)])))
  }

  @Test(
    "numbers, texts and truth values are read in all the ways in which senders write them",
    arguments: [
      (#"{"int64_field": 12}"#, AllTypes(int64Field: 12)),
      (#"{"int64_field": "12"}"#, AllTypes(int64Field: 12)),
      (#"{"int64_field": 12.0}"#, AllTypes(int64Field: 12)),
      (#"{"int64_field": 1.25e2}"#, AllTypes(int64Field: 125)),
      (#"{"int64_field": -9223372036854775808}"#, AllTypes(int64Field: .min)),
      (#"{"uint64_field": 18446744073709551615}"#, AllTypes(uint64Field: .max)),
      (#"{"uint64_field": "18446744073709551615"}"#, AllTypes(uint64Field: .max)),
      (#"{"int32_field": -2147483648, "uint32_field": 4294967295}"#, AllTypes(int32Field: .min, uint32Field: .max)),
      (
        #"{"sint32_field": 1, "sfixed64_field": -2, "fixed32_field": 3}"#,
        AllTypes(sint32Field: 1, fixed32Field: 3, sfixed64Field: -2)
      ),
      (#"{"double_field": 4.20, "float_field": "0.5"}"#, AllTypes(doubleField: 4.2, floatField: 0.5)),
      (#"{"double_field": 3}"#, AllTypes(doubleField: 3)),
      (#"{"double_field": "-Infinity"}"#, AllTypes(doubleField: -.infinity)),
      (#"{"string_field": 14}"#, AllTypes(stringField: "14")),
      (#"{"string_field": 4.20}"#, AllTypes(stringField: "4.20")),
      (#"{"string_field": true}"#, AllTypes(stringField: "true")),
      (#"{"string_field": false}"#, AllTypes(stringField: "false")),
      (#"{"string_field": 99999999999999999999999}"#, AllTypes(stringField: "99999999999999999999999")),
      (#"{"string_field": "a\u00e9\ud83d\ude42\n\"\\"}"#, AllTypes(stringField: "aé🙂\n\"\\")),
      (#"{"bool_field": true}"#, AllTypes(boolField: true)), (#"{"bool_field": "true"}"#, AllTypes(boolField: true)),
      (#"{"bool_field": 1}"#, AllTypes(boolField: true)), (#"{"bool_field": "1"}"#, AllTypes(boolField: true)),
      (#"{"bool_field": 0}"#, AllTypes()), (#"{"bool_field": "false"}"#, AllTypes()),
      (#"{"bytes_field": "AP+A"}"#, AllTypes(bytesField: [0, 255, 128])),
      (#"{"bytes_field": "AP-A"}"#, AllTypes(bytesField: [0, 255, 128])),
      (#"{"bytes_field": "YQ=="}"#, AllTypes(bytesField: [0x61])),
      (#"{"bytes_field": "YQ"}"#, AllTypes(bytesField: [0x61])),
      (#"{"color": "COLOR_DARK_BLUE"}"#, AllTypes(color: .darkBlue)),
      (#"{"color": "DARK_BLUE"}"#, AllTypes(color: .darkBlue)),
      (#"{"color": 5}"#, AllTypes(color: .darkBlue)), (#"{"color": "-1"}"#, AllTypes(color: .negative)),
      (#"{"color": 77}"#, AllTypes(color: .init(rawValue: 77))),
      (#"{"maybe": 0}"#, AllTypes(maybe: 0)), (#"{"maybe": null}"#, AllTypes()),
      (#"{"text": null, "number": 3}"#, AllTypes(choice: .number(3))),
      (#"{"chosen_leaf": {}}"#, AllTypes(choice: .chosenLeaf(.init()))),
    ] as [(String, Fixtures.V1.AllTypes)])
  func scalars(json: String, expected: Fixtures.V1.AllTypes) throws {
    #expect(try decode(json) == expected)
  }

  @Test(
    "decimals keep their text",
    arguments: [
      ("4.20", "4.20"), (#""4.20""#, "4.20"), ("1", "1"), ("-0.10", "-0.10"), ("1e3", "1e3"), (#"" .5""#, nil),
      (#"".5""#, ".5"), ("123456789012345678901234567890", "123456789012345678901234567890"),
      ("-12345678901234567890", "-12345678901234567890"), (#"{"value": "7.00"}"#, "7.00"),
      (#""""#, nil), (#""abc""#, nil), ("true", nil), (#""1.2.3""#, nil), (#""NaN""#, nil),
    ] as [(String, String?)])
  func decimals(json: String, expected: String?) {
    #expect((try? decode("{\"amount\": \(json)}"))?.amount?.value == expected)
    #expect((try? decode("{\"amounts\": [\(json)]}"))?.amounts.first?.value == expected)
  }

  @Test("lists, maps and messages are read; null stands for absent, and for the default in a list")
  func composite() throws {
    let message = try decode(
      #"""
      {"leaf": {"name": "oak", "kind": "GREEN", "veins": [{"length": 3}, null, {}]}, "int32s": [1, "2", null],
       "strings": ["a", 2, null], "labels": {"a": "1", "b": 2}, "counts": {"-1": 5}, "ratios": {"true": 0.5},
       "leaves_by_name": {"n": {"size": 1}}, "leaves": null, "moments": ["2024-02-03 04:05:06"], "bools": [1, false]}
      """#)
    #expect(
      message
        == AllTypes(
          leaf: .init(name: "oak", kind: .green, veins: [.init(length: 3), .init(), .init()]), int32s: [1, 2, 0],
          bools: [true, false], strings: ["a", "2", ""], moments: [.init(seconds: 1_706_933_106)],
          labels: ["a": "1", "b": "2"], counts: [-1: 5], leavesByName: ["n": .init(size: 1)], ratios: [true: 0.5]))
  }

  @Test("PHP's [] for an object without members is one")
  func emptyArrays() throws {
    #expect(try decode(#"{"leaf": [], "labels": [], "chosen_leaf": []}"#) == AllTypes())
    #expect(try decode("[]") == AllTypes())
    #expect(try decode(#"{"leaves": [[]]}"#) == AllTypes(leaves: [.init()]))
  }

  @Test(
    "a value that does not fit is refused with its path and what is allowed",
    arguments: [
      (#"{"leaves": [{}, {"size": "abc"}]}"#, #"leaves[1].size: "abc" is not a whole number"#),
      (#"{"int64_field": 1.5}"#, "int64_field: 1.5 is not a whole number"),
      (#"{"int64_field": ""}"#, #"int64_field: "" is not a whole number"#),
      (#"{"int64_field": true}"#, "int64_field: true is not a whole number"),
      (#"{"int64_field": [1]}"#, "int64_field: [1] is not a whole number"),
      (
        #"{"int64_field": 9223372036854775808}"#,
        "int64_field: 9223372036854775808 is out of range; -9223372036854775808 to 9223372036854775807 is allowed"
      ),
      (
        #"{"int64_field": 99999999999999999999999}"#,
        "int64_field: 99999999999999999999999 is out of range; -9223372036854775808 to 9223372036854775807 is allowed"
      ),
      (
        #"{"int32_field": "2147483648"}"#,
        #"int32_field: "2147483648" is out of range; -2147483648 to 2147483647 is allowed"#
      ),
      (#"{"uint32_field": -1}"#, "uint32_field: -1 is out of range; 0 to 4294967295 is allowed"),
      (
        #"{"int32_field": 1e999999999}"#,
        "int32_field: 1e999999999 is out of range; -2147483648 to 2147483647 is allowed"
      ),
      (#"{"double_field": "x"}"#, #"double_field: "x" is not a number"#),
      (#"{"double_field": 1e999}"#, "double_field: 1e999 is out of range"),
      (#"{"float_field": 1e39}"#, "float_field: 1e39 is out of range"),
      (#"{"bool_field": 2}"#, "bool_field: 2 is not true or false"),
      (#"{"bool_field": "yes"}"#, #"bool_field: "yes" is not true or false"#),
      (#"{"string_field": {"a": "b"}}"#, #"string_field: {"a":"b"} is not a text"#),
      (#"{"bytes_field": "*"}"#, #"bytes_field: "*" is not a text in base64"#),
      (#"{"color": "GREY"}"#, #"color: "GREY" is not one of NEGATIVE, RED, DARK_BLUE"#),
      (#"{"leaf": "oak"}"#, #"leaf: "oak" is not an object"#), (#"{"leaf": [1]}"#, "leaf: [1] is not an object"),
      (#"{"strings": "a"}"#, #"strings: "a" is not a list"#), (#"{"labels": "a"}"#, #"labels: "a" is not an object"#),
      (#"{"labels": {"x": []}}"#, #"labels["x"]: [] is not a text"#),
      (#"{"counts": {"x": 1}}"#, #"counts["x"]: "x" is not a whole number"#),
      (#"{"leaves_by_name": {"x": {"size": "y"}}}"#, #"leaves_by_name["x"].size: "y" is not a whole number"#),
      (
        #"{"moment": "yesterday"}"#,
        #"moment: "yesterday" is not a date and time such as 2024-02-03T04:05:06+00:00"#
      ),
      (#"{"amount": "4,20"}"#, #"amount: "4,20" is not a decimal number"#),
      (#"{"text": "a", "number": 1}"#, "number: 1 is one too many: only one field of its oneof may be set"),
      ("7", "7 is not an object"),
    ])
  func refused(json: String, message: String) {
    #expect { try decode(json) } throws: { "\($0)" == message }
  }

  @Test("a long value is cut in the message")
  func longValue() {
    let value = String(repeating: "x", count: 100_000)
    #expect { try decode("{\"int64_field\": \"\(value)\", \"n\": 1}") } throws: { "\($0)".count < 150 }
    #expect { try decode("{\"int64_field\": [\"\(value)\"]}") } throws: { "\($0)".count < 150 }
  }

  @Test(
    "text that is not one JSON value is refused",
    arguments: [
      "", " ", "{", "}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "[1,]", "{} {}", "{}x", "01", "-", "1.", ".5", "+1", "1e",
      "NaN",
      "Infinity", "tru", "nulll", "'a'", #"{'a':1}"#, "{a:1}", "// x\n{}", "/* */{}", "\"a", "\"\n\"", "[1 2]",
      "{}\u{feff}",
      #""\x41""#, #""\u12""#,
    ])
  func notJSON(json: String) {
    #expect {
      try JSONDocument(parsing: Array(json.utf8))
    } throws: { error in
      if case MessageError.notJSON(let offset, let reason) = error {
        return (0...json.utf8.count).contains(offset) && !reason.isEmpty
      }
      return false
    }
  }

  @Test("a NUL, raw or escaped, and text that is not UTF-8 are refused")
  func text() {
    for json in ["{\"string_field\": \"a\0b\"}", #"{"string_field": "a\u0000b"}"#, #"{"string_field\u0000": "b"}"#] {
      #expect(throws: MessageError.embeddedNUL(field: "")) { try decode(json) }
    }
    #expect(throws: MessageError.invalidUTF8(field: "")) {
      try AllTypes(json: Array("{\"string_field\": \"".utf8) + [0xc0, 0xaf] + Array("\"}".utf8))
    }
  }

  @Test("an escaped backslash before u0000 is no NUL")
  func escapedBackslash() throws {
    #expect(try decode(#"{"string_field": "\\u0000"}"#).stringField == #"\u0000"#)
  }

  @Test("100 levels pass, 101 and 10 000 are refused")
  func depth() throws {
    func nested(_ levels: Int) -> [UInt8] {
      Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
    }
    #expect(throws: Never.self) { try JSONDocument(parsing: nested(100)) }
    for levels in [101, 10_000] {
      #expect(throws: MessageError.tooDeep(field: "")) { try JSONDocument(parsing: nested(levels)) }
    }
  }

  @Test("values and containers without end are refused")
  func amount() {
    let values = "[" + String(repeating: "1,", count: 500_000) + "1]"
    let containers = "[" + String(repeating: "{},", count: 100_000) + "{}]"
    for json in [values, containers] {
      #expect(throws: MessageError.tooManyFields(field: "")) { try JSONDocument(parsing: Array(json.utf8)) }
    }
  }

  @Test("changed text is refused or decoded, never more")
  func mutated() {
    let seed = UInt64.random(in: 1 ... .max)
    print("mutated JSON: seed \(seed)")
    var random = SplitMix(state: seed)
    let original = Array(Samples.everything.json().utf8)
    let alphabet = Array("{}[]:,\"\\u0-+.eEtfn1 \u{7f}ü".utf8)
    for _ in 0..<5_000 {
      var text = original
      for _ in 0...Int.random(in: 0...3, using: &random) {
        let index = Int.random(in: text.indices, using: &random)
        if Bool.random(using: &random) {
          text[index] = alphabet[Int.random(in: alphabet.indices, using: &random)]
        } else {
          text.remove(at: index)
        }
      }
      guard let decoded = try? AllTypes(json: text) else { continue }
      _ = decoded.serialized()
    }
  }

  @Test("JSON cut off at any byte is refused")
  func truncated() {
    let text = Array(Samples.everything.json().utf8)
    for count in text.indices {
      #expect(throws: MessageError.self) { try AllTypes(json: Array(text[..<count])) }
    }
  }
}
