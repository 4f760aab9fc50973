import RPC
import Storage
import TestSupport
import Testing

@testable import Commerce
@testable import Sales

@Suite("What the OMS says of orders")
struct OrderUpdateTests {
  private func exported(_ state: ExportState = .sent) async throws -> TemporarySales {
    let sales = try TemporarySales()
    try await sales.add(order("7", state), [line(1), line(2)])
    return sales
  }

  @discardableResult
  private func tell(_ sales: TemporarySales, _ message: some LedgerChange) async throws -> String {
    let store = sales.store
    return try await sales.database.write { try message.apply(to: store, $0, now: 1) }
  }

  private func update(_ json: String) throws -> OrderUpdate { try OrderUpdate(updated: Array(json.utf8)) }

  private func comments(_ sales: TemporarySales, of id: String = "7") async throws -> [String] {
    let store = sales.store
    return try await sales.database.read { try store.comments($0, of: id).map(\.text) }
  }

  @Test("one that the OMS could not import has failed, with the reason on the order, and may be exported again")
  func importFailed() async throws {
    let sales = try await exported()
    try await tell(sales, update(#"{"order":{"id":"7","status":"ERROR","status_reason":"IMPORTFAIL"}}"#))
    let failed = try #require(try await sales.store.order("7"))
    #expect(failed.exportState == .failed && failed.needsAttention)
    #expect(failed.reason == "the OMS could not import it: ERROR (IMPORTFAIL)")
    #expect(
      try await comments(sales).last == "OMS: export failed, the OMS could not import it: ERROR (IMPORTFAIL)")
    // What it says of one that it has is no failure of the export.
    let accepted = try await exported(.accepted)
    try await tell(accepted, update(#"{"order":{"id":"7","status":"ERROR","status_reason":"IMPORTFAIL"}}"#))
    #expect(try await accepted.store.order("7")?.exportState == .accepted)
    for each in [sales, accepted] { await each.database.close() }
  }

  @Test("one that is rejected for fraud is cancelled in the shop", arguments: ["REJECTED", "ABORTED"])
  func rejected(status: String) async throws {
    let order = try await FollowedOrder()
    try await order.updated(status, "ANALYSTPOSFRAUD")
    try await order.follow()
    #expect(order.shop.model.state == "canceled" && order.shop.model[3].cancelled == 2)
    #expect(order.shop.model.invoices.isEmpty)
    #expect(order.shop.model.comments.contains { $0.hasPrefix("OMS: \(status) (ANALYSTPOSFRAUD)") })
    await order.sales.database.close()
  }

  @Test("another shipping address is said on the order, once, and changes no document")
  func address() async throws {
    let order = try await FollowedOrder()
    let address =
      #"{"first_name":"Ann","last_name":"Lee","address1":"Via 1","address2":" ","zip":"00100","city":"Rome","country_code":"IT"}"#
    let message = try AddressUpdate(
      Array(
        #"{"shipping_address_modification":{"order_id":"7","line_number":"1","user":"csr","new_shipping_address":\#(address)}}"#
          .utf8))
    try await order.tell(message)
    try await order.follow()
    let comments = order.shop.model.comments
    #expect(comments.count == 1 && comments[0].hasPrefix("OMS: ships to Ann Lee, Via 1, 00100 Rome, IT, 20"))
    // The OMS tells of it with each line.
    try await order.tell(message)
    try await order.follow()
    #expect(order.shop.model.comments.count == 1 && order.shop.model.shipments.isEmpty)
    await order.sales.database.close()
  }

  @Test(
    "a shipping address that is changed back is said again, also in the same second", arguments: TestEngine.allCases)
  func changedBack(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    try await sales.add(order("7", .accepted), [line(1)])
    let store = sales.store
    func ships(to city: String, at milliseconds: Int64) async throws {
      let message = try AddressUpdate(
        Array(
          #"{"shipping_address_modification":{"order_id":"7","new_shipping_address":{"city":"\#(city)"}}}"#.utf8))
      let now = 1_706_933_106_000_000_000 + milliseconds * 1_000_000
      _ = try await sales.database.write { try message.apply(to: store, $0, now: now) }
    }
    for (index, city) in ["Rome", "Rome", "Pisa", "Pisa", "Rome"].enumerated() {
      try await ships(to: city, at: Int64(index))
    }
    #expect(
      try await comments(sales) == [
        "OMS: ships to  Rome, 2024-02-03 04:05:06.000 UTC", "OMS: ships to  Pisa, 2024-02-03 04:05:06.002 UTC",
        "OMS: ships to  Rome, 2024-02-03 04:05:06.004 UTC",
      ])
    await sales.database.close()
  }

  @Test("what becomes so again is said again: a status without a date, and an export that fails once more")
  func again() async throws {
    let sales = try await exported(.accepted)
    for (index, reason) in ["A", "B", "A"].enumerated() {
      let store = sales.store
      let message = try update(#"{"order":{"id":"7","status":"ONHOLD","status_reason":"\#(reason)"}}"#)
      _ = try await sales.database.write {
        try message.apply(to: store, $0, now: Int64(index + 1) * 1_000_000_000)
      }
    }
    let said = try await comments(sales)
    #expect(said.count == 3 && Set(said).count == 3 && said.allSatisfy { $0.hasPrefix("OMS: ONHOLD (") })
    var failed = order("8", .failed)
    failed.sentAt = 1_706_933_106_000_000_000
    #expect(failed.exportFailed("no") == "OMS: export failed, no; it was sent 2024-02-03 04:05:06 UTC")
    #expect(
      failed.exportFailed(String(repeating: "x", count: 2_000)).hasSuffix("xx; it was sent 2024-02-03 04:05:06 UTC"))
    await sales.database.close()
  }

  @Test("an exchange is taken in with its lines, and said on the order that it was made for")
  func exchange() async throws {
    let sales = try await exported(.accepted)
    let made = try update(
      #"""
      {"order":{"id":"X-1","original_order_id":"7","store":"EU-STORE","status":"NEW","origin_date":"2024-02-03T04:05:06Z",
       "payments":[{"currency":"EUR"}],"lines":[
        {"id":"1","line_number":1,"product_type":"PHYSICAL","sku":"CUP","product_name":"Cup","status":"new",
         "source_id":"WH-1","amount":{"gross_amount":"8.50","tax_amount":"1.50"}},
        {"id":"2","line_number":2,"product_type":"PHYSICAL","sku":"ROPE","quantity":"3","amount":{"gross_amount":"6"}},
        {"id":"3","line_number":3,"product_type":"HOLOGRAM","sku":"H"}]}}
      """#)
    #expect(try await tell(sales, made) == "taken in, for order 7")
    let foreign = try #require(try await sales.store.order("X-1"))
    #expect(foreign.exportState == .foreign && foreign.entityID == 0 && foreign.originalOrderID == "7")
    #expect(foreign.grandTotal == Decimal("14.5") && foreign.currency == "EUR" && foreign.channel == "EU-STORE")
    let lines = try await sales.store.lines(of: "X-1")
    #expect(lines.map(\.sku) == ["CUP", "ROPE"] && lines.map(\.quantity) == [1, 3])
    #expect(lines[0].status == "NEW" && lines[0].sourceID == "WH-1" && lines[0].tax == Decimal("1.5"))
    #expect(try await comments(sales) == ["OMS: order X-1 was made for this one, an exchange or a reshipment"])
    // The shop has no such order: there is nothing to follow.
    let (store, mapping) = (sales.store, Mapping())
    #expect(try await sales.database.read { try store.openUnits($0, of: ["CUP"]) } == [])
    // It is taken in once; later updates change it.
    try await tell(sales, update(#"{"order":{"id":"X-1","original_order_id":"7","status":"LOGISTICS"}}"#))
    #expect(try await sales.store.order("X-1")?.omsStatus == "LOGISTICS")
    #expect(try await comments(sales).count == 1)
    #expect(try await sales.database.read { try store.ledger($0, "X-1", mapping) } == nil)
    await sales.database.close()
  }

  @Test("an order that nobody knows is refused, so that its message can be replayed")
  func unknown() async throws {
    let sales = try await exported()
    await #expect(throws: (any Error).self) {
      try await tell(sales, update(#"{"order":{"id":"X-2","status":"NEW"}}"#))
    }
    // The original may be older than the connector (messages.md §4: accepted when original_order_id is there).
    try await tell(sales, update(#"{"order":{"id":"X-2","original_order_id":"8","status":"NEW"}}"#))
    #expect(try await sales.store.order("X-2")?.exportState == .foreign)
    await sales.database.close()
  }
}
