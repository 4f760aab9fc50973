import TestSupport
import Testing

@testable import Inventory

@Suite("What a snapshot may be")
struct SnapshotValidationTests {
  @Test(
    "a bus quantity is a whole number of 64 bits",
    arguments: [
      ("5", RowQuantity.units(5)), ("0", .units(0)), ("-3", .units(-3)), ("+7", .units(7)), ("007", .units(7)),
      ("12.0000", .units(12)), ("-0", .units(0)), ("3.", .units(3)),
      ("9223372036854775807", .units(.max)), ("-9223372036854775808", .units(.min)),
      ("9223372036854775808", .outOfRange("9223372036854775808")),
      ("99999999999999999999999.0", .outOfRange("99999999999999999999999.0")),
      ("1.5", .notWhole("1.5")), ("-0.5", .notWhole("-0.5")), ("1e3", .notWhole("1e3")), ("", .notWhole("")),
      (" 5", .notWhole(" 5")), ("five", .notWhole("five")), ("-", .notWhole("-")), (".0", .notWhole(".0")),
      ("--5", .notWhole("--5")), ("0x10", .notWhole("0x10")), ("٥", .notWhole("٥")),
    ])
  func quantity(text: String, expected: RowQuantity) {
    #expect(RowQuantity(text: text) == expected)
  }

  @Test("no text is no quantity")
  func missingQuantity() { #expect(RowQuantity(text: nil) == .missing) }

  @Test("a bad row is named with its index, the value and what is wanted")
  func rowReasons() throws {
    var builder = try SnapshotBuilder(
      aggregateId: "EU", mode: .full, createdOn: CreatedOn(nanoseconds: 1), rowCount: 6)
    builder.add(sku: "good", quantity: .units(1), unlimited: false)
    builder.add(sku: "", quantity: .units(1), unlimited: false)
    builder.add(sku: "a", quantity: .missing, unlimited: true)
    builder.add(sku: "b", quantity: .notWhole("1.5"), unlimited: false)
    builder.add(sku: "c", quantity: .outOfRange("99999999999999999999"), unlimited: false)
    builder.add(sku: String(repeating: "x", count: 1_025), quantity: .units(1), unlimited: false)
    let snapshot = builder.build()
    #expect(snapshot.rows.map(\.sku) == ["good"])
    #expect(snapshot.invalid == 5)
    #expect(snapshot.invalidRows.map(\.row) == [1, 2, 3, 4, 5])
    #expect(snapshot.invalidRows.map(\.sku).prefix(4) == ["", "a", "b", "c"])
    #expect(
      snapshot.invalidRows.map(\.reason) == [
        "sku is empty; send the product's SKU",
        "quantity is missing; send a whole number, for an unlimited SKU too",
        "quantity \"1.5\" is not a whole number",
        "quantity \"99999999999999999999\" is beyond 64 bits; send at most 9223372036854775807",
        "sku has 1025 bytes; at most 1024",
      ])
    #expect(snapshot.namedByInvalidRows == ["a", "b", "c"])
  }

  @Test("a row that can't be read and whose SKU is null names none")
  func nullSKU() throws {
    let params = """
      {"snapshot": {"aggregate_id": "EU", "mode": "FULL", "created_on": "2024-02-03T04:05:06+00:00",
        "stock": [{"sku": null, "quantity": {}}, {"sku": 7, "quantity": {}}]}}
      """
    let snapshot = try StockSnapshot(busParams: Array(params.utf8))
    #expect(snapshot.invalidRows.map(\.sku) == ["", "7"])
    #expect(snapshot.namedByInvalidRows == ["7"])
  }

  @Test("a SKU of 1 024 bytes is accepted")
  func longestSKU() throws {
    let sku = String(repeating: "é", count: 512)
    #expect(try snapshot(.full, at: 1, [TestRow(sku, 1)]).rows.count == 1)
  }

  @Test("a message without an aggregate, or with too many rows, is refused")
  func refusedMessages() throws {
    let none = #expect(throws: SnapshotError.self) { try snapshot(.full, "", at: 1, []) }
    #expect(none?.description == "snapshot: aggregate_id is missing; send the id of the OMS's aggregate")
    let long = #expect(throws: SnapshotError.self) {
      try snapshot(.full, String(repeating: "x", count: 1_025), at: 1, [])
    }
    #expect(long?.description.hasSuffix("aggregate_id has 1025 bytes; at most 1024") == true)
    let rows = (0...10_000).map { TestRow("\($0)", 1) }
    let many = #expect(throws: SnapshotError.self) { try snapshot(.full, at: 1, rows) }
    #expect(
      many?.description
        == "snapshot EU-WEB: 10001 rows; at most 10000 in one message: send it in parts with the same created_on")
    #expect(try snapshot(.full, at: 1, Array(rows.dropLast())).rows.count == 10_000)
  }

  @Test("rows are sorted by bytes, and rows of one SKU keep their order")
  func sorted() throws {
    let skus = ["b", "a", "B", "é", "e\u{301}", "ab", "b", "Ⅷ", "a", "", "z", "b"]
    let rows = try snapshot(.full, at: 1, skus.map { TestRow($0, 1) }).rows
    let expected = skus.enumerated().filter { !$0.element.isEmpty }.sorted { a, b in
      let (left, right) = (Array(a.element.utf8), Array(b.element.utf8))
      return left == right ? a.offset < b.offset : left.lexicographicallyPrecedes(right)
    }
    #expect(rows.map(\.index) == expected.map { Int32($0.offset) })
  }

  @Test(
    "thousands of shuffled rows are sorted like a few", arguments: ["", "SKU-", "a common beginning, longer than 16 "])
  func sortedMany(prefix: String) throws {
    var random = SeededGenerator(seed: 7)
    let rows = (0..<5_000).map { TestRow(prefix + String($0 % 3_000), 1) }.shuffled(using: &random)
    let sorted = try snapshot(.full, at: 1, rows).rows
    let isSorted = zip(sorted, sorted.dropFirst()).allSatisfy { a, b in
      let (left, right) = (Array(a.sku.utf8), Array(b.sku.utf8))
      return left.lexicographicallyPrecedes(right) || left == right && a.index < b.index
    }
    #expect(isSorted)
    #expect(sorted.count == 5_000)
  }
}

@Suite("created_on")
struct CreatedOnTests {
  @Test("comes from seconds and nanoseconds in their ranges only")
  func parts() {
    #expect(CreatedOn(seconds: 1, nanoseconds: 2)?.nanoseconds == 1_000_000_002)
    #expect(CreatedOn(seconds: -1, nanoseconds: 999_999_999) == nil)
    #expect(CreatedOn(seconds: 1, nanoseconds: -1) == nil)
    #expect(CreatedOn(seconds: 1, nanoseconds: 1_000_000_000) == nil)
    #expect(CreatedOn(seconds: 9_223_372_036, nanoseconds: 854_775_807)?.nanoseconds == Int64.max)
    #expect(CreatedOn(seconds: 9_223_372_036, nanoseconds: 854_775_808) == nil)
    #expect(CreatedOn(seconds: .max, nanoseconds: 0) == nil)
  }
}
