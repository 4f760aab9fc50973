import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import Sales

@Suite("Parcels with a part of a line that has many units")
struct ShippedUnitsTests {
  /// 150 mugs on line 1, 2.5 m of a rope on line 2, another mug on line 3.
  private func sales(_ engine: TestEngine = .sqlite) async throws -> TemporarySales {
    let sales = try TemporarySales(engine)
    var rope = line(2, "ROPE", quantity: Decimal("2.5")!)
    rope.itemID = 4
    var mug = line(3)
    mug.itemID = 5
    try await sales.add(order("7"), [line(1, quantity: 150), rope, mug])
    return sales
  }

  private func parcel(_ request: String, _ items: [String], _ quantities: [String] = [], track: String = "") -> String {
    let packages =
      #"[{"id":"P","tracking_number":"\#(track)","aggregated_items":[\#(quantities.joined(separator: ","))]}]"#
    return
      #"{"shipment":{"order_id":"7","shipment_request_id":"\#(request)","items":[\#(items.joined(separator: ","))],"packages":\#(packages)}}"#
  }

  @discardableResult
  private func tell(_ sales: TemporarySales, _ json: String) async throws -> String {
    let (store, message) = (sales.store, try Parcel(Array(json.utf8)))
    return try await sales.database.write { try message.apply(to: store, $0, now: 1) }
  }

  private func shipped(_ sales: TemporarySales, _ number: Int) async throws -> [String: Decimal] {
    try await sales.store.lines(of: "7")[number - 1].shipped
  }

  private static let line1 = #"{"order_line_number":1}"#
  private static let line2 = #"{"order_line_number":2}"#
  private static let line3 = #"{"order_line_number":3}"#

  @Test(
    "a line leaves by the quantity that the message says, else by its entries, else as a whole",
    arguments: [
      ([line1], [#"{"sku":"MUG","quantity":100,"order_lines":[1]}"#], 1, 100),
      ([line1], [#"{"sku":"MUG","quantity":"100","order_lines":["3"]}"#], 1, 100),
      ([line1], [#"{"sku":"MUG","quantity":100,"order_lines":[]}"#], 1, 100),
      ([line1], [#"{"sku":"mug","quantity":100,"order_lines":[1]}"#], 1, 100),
      ([line1, line3], [#"{"sku":"MUG","quantity":101,"order_lines":[1,3]}"#], 1, 100),
      (
        [line1],
        [#"{"sku":"MUG","quantity":60,"order_lines":[1]}"#, #"{"sku":"MUG","quantity":40,"order_lines":[1]}"#], 1, 100
      ),
      (Array(repeating: line1, count: 100), [], 1, 100),
      (Array(repeating: #"{"order_line_id":"3"}"#, count: 100), [], 1, 100),
      ([line1, line1], [#"{"sku":"MUG","quantity":100,"order_lines":[1,1]}"#], 1, 100),
      ([line1], [], 1, 150), ([#"{"order_line_id":"3"}"#], [], 1, 150),
      ([line1], [#"{"sku":"MUG","quantity":0,"order_lines":[1]}"#], 1, 150),
      ([line1], [#"{"sku":"MUG","quantity":200,"order_lines":[1]}"#], 1, 150),
      ([line2], [#"{"sku":"ROPE","quantity":1.25,"order_lines":[2]}"#], 2, Decimal("1.25")!),
      ([line2], [#"{"sku":"ROPE","quantity":"1.25","order_lines":["4"]}"#], 2, Decimal("1.25")!),
      ([line2], [], 2, Decimal("2.5")!),
      ([line3], [#"{"sku":"MUG","quantity":1,"order_lines":[3]}"#], 3, 1), ([line3, line3], [], 3, 1),
    ] as [([String], [String], Int, Decimal)])
  func units(items: [String], quantities: [String], number: Int, units: Decimal) async throws {
    let sales = try await sales()
    try await tell(sales, parcel("A", items, quantities))
    #expect(try await shipped(sales, number) == ["A": units])
    let line = try await sales.store.lines(of: "7")[number - 1]
    #expect((line.shippedAt != nil) == (line.unshipped == 0))
    await sales.database.close()
  }

  @Test("the rest leaves with a later parcel, and what is told again has left once", arguments: TestEngine.allCases)
  func parcels(engine: TestEngine) async throws {
    let sales = try await sales(engine)
    func mugs(_ request: String, _ units: Int) async throws {
      try await tell(sales, parcel(request, [Self.line1], [#"{"sku":"MUG","quantity":\#(units),"order_lines":[1]}"#]))
    }
    try await mugs("A", 60)
    try await mugs("A", 60)
    try await mugs("B", 60)
    for (request, units) in [("A", 60), ("B", 60), ("A", 60)] { try await mugs(request, units) }
    #expect(try await shipped(sales, 1) == ["A": 60, "B": 60])
    // Another quantity of the same request is another parcel; more than is left is not there.
    try await mugs("A", 70)
    try await mugs("A", 70)
    #expect(try await shipped(sales, 1) == ["A": 60, "B": 60, "A #2": 30])
    #expect(try await tell(sales, parcel("C", [Self.line1])) == "all of its lines had left already")
    await sales.database.close()
  }

  @Test("what has not left of a line can be cancelled, before or after a part of it leaves")
  func rest() async throws {
    let cancelled =
      #"{"order":{"id":"7","status":"COMPLETE","status_reason":"PARTIALLYSHIPPED","lines":[{"line_number":1,"status":"CANCELLED"}]}}"#
    let left = parcel("A", [Self.line1], [#"{"sku":"MUG","quantity":100,"order_lines":[1]}"#])
    for isFirst in [true, false] {
      let sales = try await sales()
      let (store, update) = (sales.store, try OrderUpdate(updated: Array(cancelled.utf8)))
      if isFirst { try await tell(sales, left) }
      _ = try await sales.database.write { try update.apply(to: store, $0, now: 1) }
      if !isFirst { try await tell(sales, left) }
      let line = FulfilmentLedger.Line(try await store.lines(of: "7")[0])
      #expect(line.shipped == ["A": 100] && line.cancelled == 50 && line.isSettled)
      await sales.database.close()
    }
  }

  @Test("a quantity that is none is refused")
  func refused() throws {
    let json = parcel("A", [Self.line1], [#"{"sku":"MUG","quantity":"many","order_lines":[1]}"#])
    #expect(throws: RPCError.self) { try Parcel(Array(json.utf8)) }
  }
}
