import RPC
import Storage
import Testing

@testable import Commerce
@testable import Sales

@Suite("Attributes that the OMS sets")
struct AttributesUpdateTests {
  private func tell(_ sales: TemporarySales, _ message: AttributesUpdate) async throws -> String {
    let store = sales.store
    return try await sales.database.write { try message.apply(to: store, $0, now: 1) }
  }

  private func json(_ attributes: [(String, String)]) -> String {
    "[\(attributes.map { #"{"name":"\#($0)","value":"\#($1)"}"# }.joined(separator: ","))]"
  }

  private func ofOrder(_ attributes: [(String, String)]) throws -> AttributesUpdate {
    try AttributesUpdate(
      order: Array(
        #"{"custom_attributes_modification":{"order_id":"7","custom_attributes":\#(json(attributes))}}"#.utf8))
  }

  private func ofLine(_ attributes: [(String, String)]) throws -> AttributesUpdate {
    try AttributesUpdate(
      line: Array(
        #"""
        {"line_custom_attributes_modification":{"order_id":"7","line_number":"1","custom_attributes":\#(json(attributes))}}
        """#.utf8))
  }

  @Test("no more are kept than the limit, of an order and of a line; those that are there may change")
  func count() async throws {
    let sales = try TemporarySales()
    try await sales.add(order("7"), [line(1)])
    let store = sales.store
    for round in 0..<3 {
      let new = (0..<400).map { ("a\(round)-\($0)", "1") }
      let expected =
        round < 2 ? "400 attributes set" : "200 attributes set"
      #expect(try await tell(sales, ofOrder(new)).hasPrefix(expected))
      #expect(try await tell(sales, ofLine(new)).hasPrefix("\(expected) on 1 lines"))
    }
    _ = try await tell(sales, ofOrder([("a0-0", "new"), ("late", "")]))
    #expect(try await tell(sales, ofLine([("a0-0", "new"), ("late", "")])).contains("1 left out"))
    let kept = try await sales.database.read { try store.attributes($0, of: "7") }
    #expect(kept.count == AttributeLimits.count && kept.first { $0.name == "a0-0" }?.value == "new")
    let ofLine = try await sales.store.lines(of: "7")[0].attributes
    #expect(ofLine.count == AttributeLimits.count && ofLine["a0-0"] == "new" && ofLine["late"] == nil)
    await sales.database.close()
  }

  @Test("all together have a limit, below which each may shrink and grow")
  func bytes() {
    var attributes: [String: String] = [:]
    let value = String(repeating: "x", count: AttributeLimits.valueBytes)
    let new = (0..<100).map { (name: "\($0)", value: value) }
    #expect(AttributeLimits.merge(new, into: &attributes) == 100 - 63)
    #expect(AttributeLimits.merge([("0", ""), ("new", value)], into: &attributes) == 0)
    #expect(AttributeLimits.merge([("0", value)], into: &attributes) == 1 && attributes["0"] == "")
  }

  @Test("a name or a value that is too long is refused", arguments: [(257, 1), (1, 4_097)])
  func long(name: Int, value: Int) throws {
    let attributes = [(String(repeating: "n", count: name), String(repeating: "v", count: value))]
    let error = #expect(throws: RPCError.self) { try ofOrder(attributes) }
    #expect(error?.code == .invalidArgument)
    #expect(throws: RPCError.self) { try ofLine(attributes) }
  }
}
