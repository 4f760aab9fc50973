import Messages
import Testing

@Suite("Messages as JSON")
struct JSONEncodingTests {
  @Test("a stock snapshot is written with numbers, names and RFC 3339")
  func snapshot() {
    #expect(
      Samples.snapshot.json() == """
        {"aggregate_id":"EU-WEB","mode":"SNAPSHOT_MODE_DELTA","created_on":"2024-02-03T04:05:06.000000005Z",\
        "stock":[{"sku":"MUG-BLUE","quantity":14},{"sku":"EBOOK-1","quantity":0,"unlimited":true},{"sku":"é"}]}
        """)
  }

  @Test("defaults are written when asked for; what is absent is left out all the same")
  func defaults() {
    #expect(
      Omsconnector.V1.StockSnapshot(stock: [.init(sku: "a")]).json(writesDefaults: true) == """
        {"aggregate_id":"","mode":"SNAPSHOT_MODE_UNSPECIFIED","stock":[{"sku":"a","unlimited":false}]}
        """)
    #expect(
      Omsconnector.V1.ListStockResponse(stock: []).json(writesDefaults: true) == #"{"stock":[],"next_page_token":""}"#)
  }

  @Test("every kind of field survives")
  func everything() throws {
    #expect(try Fixtures.V1.AllTypes(json: Array(Samples.everything.json().utf8)) == Samples.everything)
  }

  @Test(
    "values are written as the bus wants them",
    arguments: [
      (.init(), "{}"),
      (.init(int64Field: .min), #"{"int64_field":-9223372036854775808}"#),
      (.init(uint64Field: .max), #"{"uint64_field":18446744073709551615}"#),
      (.init(doubleField: 14), #"{"double_field":14}"#),
      (.init(doubleField: .infinity), #"{"double_field":"Infinity"}"#),
      (.init(doubleField: 0.1), #"{"double_field":0.1}"#),
      (.init(floatField: 0.1), #"{"float_field":0.1}"#),
      (.init(amount: .init(value: "4.20")), #"{"amount":4.20}"#),
      (
        .init(amount: .init(value: "123456789012345678901234567890.10")),
        #"{"amount":123456789012345678901234567890.10}"#
      ),
      (.init(amount: .init(value: "+1")), #"{"amount":"+1"}"#),
      // No number: as an object it can be read again, which a text could not.
      (.init(amount: .init(value: "1,2")), #"{"amount":{"value":"1,2"}}"#),
      (.init(amount: .init()), #"{"amount":{}}"#),
      (.init(stringField: "\"\\/\u{1}\n🙂"), #"{"string_field":"\"\\/\u0001\n🙂"}"#),
      (.init(bytesField: Array("abcd".utf8)), #"{"bytes_field":"YWJjZA=="}"#),
      (.init(color: .init(rawValue: 77)), #"{"color":77}"#),
      (.init(maybe: 0), #"{"maybe":0}"#),
      (.init(counts: [2: 0, -1: 5]), #"{"counts":{"-1":5,"2":0}}"#),
      (.init(ratios: [true: 0.5]), #"{"ratios":{"true":0.5}}"#),
    ] as [(Fixtures.V1.AllTypes, String)])
  func values(message: Fixtures.V1.AllTypes, json: String) throws {
    #expect(message.json() == json)
    #expect(try Fixtures.V1.AllTypes(json: Array(json.utf8)) == message)
  }
}
