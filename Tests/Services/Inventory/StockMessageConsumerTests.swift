import Messages
import RPC
import ServiceKit
import Stubs
import Testing

@testable import Inventory

@Suite("Stock messages of the bus")
struct StockMessageConsumerTests {
  private static func consume(
    _ live: LiveInventory, _ body: String, method: String = StockMessageConsumer.aggregateStockUpdated,
    deliveryID: String = "\"d-1\"", replay: UInt32 = 0
  ) async throws -> String {
    let reply = try await live.channel.unary(
      Omsconnector.Internal.V1.MessageConsumerServiceMethods.consume,
      .init(deliveryId: deliveryID, method: method, key: "EU-WEB", body: Array(body.utf8), replay: replay))
    return String(decoding: reply.result, as: UTF8.self)
  }

  private static func params(_ rows: String, head: String = #""mode":"FULL","created_on":"1970-01-01T00:00:01Z""#)
    -> String
  {
    #"{"snapshot":{"aggregate_id":"EU-WEB",\#(head),"stock":[\#(rows)]}}"#
  }

  @Test("a snapshot is applied and answered with its counts; unknown fields are ignored")
  func applied() async throws {
    try await withInventory { live in
      let result = try await Self.consume(
        live,
        #"""
        {"snapshot":{"aggregate_id":"EU-WEB","mode":"FULL","created_on":"1970-01-01 00:00:01","new":[1],
        "stock":[{"sku":"a","quantity":5,"unlimited":false,"inflight_backorders":2},{"sku":"b","quantity":"7"},
        {"sku":"c","quantity":0,"unlimited":true,"later":{}},{"sku":24,"quantity":"12.0000"}]}}
        """#)
      #expect(
        result
          == #"{"applied":4,"stale":0,"clamped":0,"invalid":0,"zeroed":0,"clamped_rows":[],"invalid_rows":[]}"#)
      let contents = try await live.stock.contents()
      #expect(
        contents == ["24=12@1000000000", "a=5@1000000000", "b=7@1000000000", "c=0!@1000000000"])
    }
  }

  @Test("bad rows, also of a wrong form, are named and sink no others")
  func badRows() async throws {
    try await withInventory { live in
      let result = try await Self.consume(
        live,
        Self.params(
          #"{"sku":"a","quantity":1.5},{"sku":"b","quantity":-4},{"quantity":1},{"sku":"c"},{"sku":"d","quantity":{}},"#
            + #"7,{"sku":"e","quantity":1,"unlimited":"maybe"},{"sku":"f","quantity":99999999999999999999},"#
            + #"{"sku":"g","quantity":3},null,{"sku":[],"quantity":3}"#))
      let reply = try Omsconnector.V1.ApplyStockSnapshotResponse(json: Array(result.utf8))
      #expect([reply.applied, reply.stale, reply.clamped, reply.invalid, reply.zeroed] == [1, 0, 1, 9, 0])
      #expect(reply.clampedRows.map(\.row) == [1])
      #expect(result.contains(#""invalid_rows":[{"row":0,"sku":"a","#))
      #expect(reply.invalidRows.map(\.row) == [0, 2, 3, 4, 5, 6, 7, 9, 10])
      #expect(reply.invalidRows.map(\.sku) == ["a", "", "c", "d", "", "e", "f", "", ""])
      #expect(reply.invalidRows[0].reason == "quantity \"1.5\" is not a whole number")
      #expect(reply.invalidRows[3].reason == "quantity \"{}\" is not a whole number")
      #expect(
        reply.invalidRows[6].reason
          == "quantity \"99999999999999999999\" is beyond 64 bits; send at most 9223372036854775807")
      let contents = try await live.stock.contents()
      #expect(contents == ["b=0@1000000000", "g=3@1000000000"])
    }
  }

  @Test("a SKU in a row of a wrong form is not left out of a NONZERO")
  func namedByBadRow() async throws {
    try await withInventory { live in
      try await live.stock.apply(.full, at: 1, ["a=1", "b=2", "c=3"])
      _ = try await Self.consume(
        live,
        Self.params(
          #"{"sku":"a","quantity":{}},{"sku":"b","quantity":"many"}"#,
          head: #""mode":"NONZERO","created_on":"1970-01-01T00:00:01Z""#))
      let contents = try await live.stock.contents()
      #expect(contents == ["a=1@1", "b=2@1", "c=0@1000000000"])
    }
  }

  static let refusals: [(body: String, message: String)] = [
    ("{}", "snapshot is missing; send aggregate_id, mode, created_on and stock in it"),
    (#"{"snapshot":null}"#, "snapshot is missing; send aggregate_id, mode, created_on and stock in it"),
    (
      #"{"snapshot":{"mode":"FULL","created_on":"2026-01-01T00:00:00Z","stock":[]}}"#,
      "snapshot: aggregate_id is missing; send the id of the OMS's aggregate"
    ),
    (
      #"{"snapshot":{"aggregate_id":"EU-WEB","mode":"NONZERO","created_on":"2026-01-01T00:00:00Z","stok":[]}}"#,
      "snapshot EU-WEB: stock is missing; send the list of rows, [] when there are none"
    ),
    (
      params("", head: #""mode":"PARTIAL","created_on":"2026-01-01T00:00:00Z""#),
      "snapshot EU-WEB: mode \"PARTIAL\" is not one of FULL, DELTA, NONZERO"
    ),
    (
      params("", head: #""mode":"full","created_on":"2026-01-01T00:00:00Z""#),
      "snapshot EU-WEB: mode \"full\" is not one of FULL, DELTA, NONZERO"
    ),
    (
      params("", head: #""created_on":"2026-01-01T00:00:00Z""#),
      "snapshot EU-WEB: mode is missing; send one of FULL, DELTA, NONZERO"
    ),
    (
      params("", head: #""mode":"FULL""#),
      "snapshot EU-WEB: created_on is missing; send when the quantities were true"
    ),
    (
      params("", head: #""mode":"FULL","created_on":"yesterday""#),
      "snapshot EU-WEB: created_on \"yesterday\" is no date and time; send e.g. 2026-03-01T10:00:00+00:00"
    ),
    (
      params("", head: #""mode":"FULL","created_on":"1969-12-31T23:59:59Z""#),
      "snapshot EU-WEB: created_on 1969-12-31T23:59:59Z is not between the years 1970 and 2262"
    ),
    (
      params((0...10_000).map { #"{"sku":"\#($0)","quantity":1}"# }.joined(separator: ",")),
      "snapshot EU-WEB: 10001 rows; at most 10000 in one message: send it in parts with the same created_on"
    ),
    (
      params((0...10_000).map { #"{"sku":"\#($0)","quantity":[]}"# }.joined(separator: ",")),
      "snapshot EU-WEB: 10001 rows; at most 10000 in one message: send it in parts with the same created_on"
    ),
  ]

  @Test("a message that is bad as a whole is refused for good and changes nothing", arguments: refusals)
  func refused(body: String, expected: String) async throws {
    try await withInventory { live in
      let error = await status { _ = try await Self.consume(live, body) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message == expected)
      let contents = try await live.stock.contents()
      #expect(contents.isEmpty)
    }
  }

  @Test(
    "what is no JSON, or not of this form, is refused for good",
    arguments: [
      "", "{", "[1]", #"{"snapshot":5}"#, #"{"snapshot":{"stock":5}}"#, #"{"snapshot":{"aggregate_id":{}}}"#,
      String(repeating: "[", count: 10_000),
      #"{"snapshot":{"aggregate_id":[],"mode":"FULL","created_on":"2026-01-01T00:00:00Z","stock":[7]}}"#,
    ])
  func malformed(body: String) async throws {
    try await withInventory { live in
      let error = await status { _ = try await Self.consume(live, body) }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.isEmpty == false)
    }
  }

  @Test("a method that is not ours is UNIMPLEMENTED and not timed")
  func unknownMethod() async throws {
    try await withInventory { live in
      let error = await status { _ = try await Self.consume(live, "{}", method: "magento.sales.order.updated") }
      #expect(error?.code == .unimplemented)
      #expect(error?.message.contains("\"magento.sales.order.updated\"") == true)
      #expect(live.timings.entries().isEmpty)
    }
  }

  @Test("each message is timed under its method, failures counted")
  func timed() async throws {
    try await withInventory { live in
      _ = try await Self.consume(live, Self.params(""))
      _ = await status { _ = try await Self.consume(live, "{}") }
      let entries = live.timings.entries()
      #expect(entries.map(\.kind) == [.busMethod])
      #expect(entries.map(\.endpoint) == [StockMessageConsumer.aggregateStockUpdated])
      #expect(entries.first?.histogram.count == 2)
      #expect(entries.first?.histogram.failures == 1)
    }
  }

  @Test("a delivery that comes again is answered alike and changes nothing, also after the service has started anew")
  func duplicate() async throws {
    try await withInventory { live in
      let body = Self.params(#"{"sku":"a","quantity":5},{"sku":"b","quantity":-1}"#)
      let first = try await Self.consume(live, body)
      // What came in between would be undone by a second effect: it is equally old.
      try await live.stock.apply(.delta, at: 1_000_000_000, ["a=6"])
      #expect(try await Self.consume(live, body) == first)
      let reopened = try TemporaryStock.another(live.stock)
      let consumer = StockMessageConsumer(store: reopened).port(timings: live.timings)
      try await withConsumer(consumer) { channel in
        let reply = try await channel.unary(
          Omsconnector.Internal.V1.MessageConsumerServiceMethods.consume,
          .init(
            deliveryId: "\"d-1\"", method: StockMessageConsumer.aggregateStockUpdated, key: "EU-WEB",
            body: Array(body.utf8)))
        #expect(String(decoding: reply.result, as: UTF8.self) == first)
      }
      await reopened.database.close()
      #expect(try await live.stock.contents() == ["a=6@1000000000", "b=0@1000000000"])
    }
  }

  @Test("a replay, another id and another content have their own effect", arguments: ["replay", "id", "content"])
  func notDuplicate(what: String) async throws {
    try await withInventory { live in
      _ = try await Self.consume(live, Self.params(#"{"sku":"a","quantity":5}"#))
      try await live.stock.apply(.delta, at: 1_000_000_000, ["a=6"])
      _ = try await Self.consume(
        live, Self.params(#"{"sku":"a","quantity":5}"# + (what == "content" ? " " : "")),
        deliveryID: what == "id" ? "\"d-2\"" : "\"d-1\"", replay: what == "replay" ? 1 : 0)
      #expect(try await live.stock.contents() == ["a=5@1000000000"])
    }
  }

  @Test("a message that was refused is refused again, and applied once it is right")
  func refusedAgain() async throws {
    try await withInventory { live in
      for _ in 0..<2 {
        let error = await status { _ = try await Self.consume(live, "{}") }
        #expect(error?.code == .invalidArgument)
      }
      _ = try await Self.consume(live, Self.params(#"{"sku":"a","quantity":5}"#))
      #expect(try await live.stock.contents() == ["a=5@1000000000"])
    }
  }

  @Test("the methods are listed")
  func methods() async throws {
    try await withInventory { live in
      let reply = try await live.channel.unary(
        Omsconnector.Internal.V1.MessageConsumerServiceMethods.listMethods, .init())
      #expect(
        reply.methods == [
          StockMessageConsumer.aggregateStockUpdated, SourceMessages.created, SourceMessages.deleted,
          SourceMessages.updated,
        ])
    }
  }
}
