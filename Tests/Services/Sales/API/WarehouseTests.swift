import Commerce
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import Sales

@Suite("The warehouse's and the carrier's side")
struct WarehouseTests {
  private typealias Sales = Omsconnector.V1.SalesServiceMethods
  private static let request: String = #"""
    {"request_id":"EU-7-01","sales_channel":"EU-STORE","order_id":"000000007","source_id":"WH-1",
     "shipping_method":"STANDARD","created":"2024-02-03 04:05:06+01:00","items":[
      {"order_line_id":"3","order_line_number":"2","sku":"MUG","name":"Mug","status":"NEW"},
      {"order_line_id":"3","order_line_number":1,"sku":"MUG","name":"Mug","status":"NEW"},
      {"order_line_id":"4","order_line_number":3,"sku":"CUP","name":"Cup","status":"NEW"}]}
    """#

  private func taken(_ live: LiveSales) async throws {
    _ = try await live.consume(WarehouseMessages.requestShipment, Self.request)
  }

  @Test("a shipment request is taken over once, and listed")
  func takenOver() async throws {
    try await withSales { live in
      try await taken(live)
      _ = try await live.consume(WarehouseMessages.requestShipment, id: "\"d-2\"", Self.request)
      let requests = try await live.call(Sales.listShipmentRequests, .init(open: true)).shipmentRequests
      #expect(requests.map(\.requestId) == ["EU-7-01"] && requests[0].incrementId == "000000007")
      #expect(requests[0].createdAt?.text == "2024-02-03T03:05:06Z" && requests[0].sourceId == "WH-1")
      #expect(
        requests[0].lines.map { "\($0.lineNumber) \($0.sku) \($0.status)" } == [
          "1 MUG REQUESTED", "2 MUG REQUESTED", "3 CUP REQUESTED",
        ])
    }
  }

  @Test(
    "a shipment request that makes no sense can never be consumed",
    arguments: [
      "{}", #"{"request_id":"r","order_id":"7","items":[]}"#,
      #"{"request_id":"r","order_id":"7","items":[{"order_line_number":0}]}"#,
      #"{"request_id":"r","order_id":"7","items":[{"order_line_number":1},{"order_line_number":1}]}"#,
      #"{"request_id":"r","order_id":"7","items":5}"#,
    ])
  func senseless(params: String) async throws {
    try await withSales([.sqlite]) { live in
      let error = await live.failure { _ = try await live.consume(WarehouseMessages.requestShipment, params) }
      #expect(error?.code == .invalidArgument, "\(String(describing: error))")
    }
  }

  private static let report = Omsconnector.V1.ReportShipmentRequest(
    requestId: "EU-7-01",
    packages: [
      .init(id: "P-1", lineNumbers: [1, 2], carrier: "DHL", trackingNumber: "T1", trackingLink: "http://t/1")
    ],
    declinedLines: [3], user: "ann")

  @Test(
    "what has left and what can't be sent is told to the OMS; said again it changes nothing, said otherwise it is refused"
  )
  func reported() async throws {
    try await withSales { live in
      try await taken(live)
      let first = try await live.call(Sales.reportShipment, Self.report)
      let rows = try await live.test.sales.outgoing()
      #expect(rows.map(\.message.method) == [ShipmentReport.linesShipped, ShipmentReport.linesDeclined])
      #expect(
        rows.map(\.message.route) == [.events, .events] && rows.map(\.message.key) == ["000000007", "000000007"])
      #expect(first.deliveryIds == rows.map(\.deliveryID))
      let shipped = try Magento.Oms.V1.LinesShipped(json: rows[0].message.body)
      #expect(shipped.requestId == "EU-7-01" && shipped.items.map(\.orderLineNumber) == [1, 2])
      #expect(shipped.items.allSatisfy { $0.status == "SHIPPED" && $0.orderLineId == "3" && $0.name == "Mug" })
      let package = try #require(shipped.packages.first)
      #expect(
        package.id == "P-1" && package.items == [1, 2] && package.carrier == "DHL" && package.trackingNumber == "T1")
      #expect(
        package.aggregatedItems == [.init(aggregatedLineId: "1", sku: "MUG", quantity: 2, orderLines: [1, 2])])
      let declined = try Magento.Oms.V1.LinesDeclined(json: rows[1].message.body)
      #expect(declined.items == [3] && declined.itemsCollection.map(\.status) == ["PICKDECLINED"])

      #expect(try await live.call(Sales.reportShipment, Self.report).deliveryIds.sorted() == first.deliveryIds.sorted())
      var otherwise = Self.report
      otherwise.packages[0].trackingNumber = "T2"
      let changed = otherwise
      let error = await live.failure { _ = try await live.call(Sales.reportShipment, changed) }
      #expect(error?.code == .failedPrecondition)
      let again = await live.failure {
        _ = try await live.call(Sales.reportShipment, .init(requestId: "EU-7-01", declinedLines: [1]))
      }
      #expect(again?.code == .failedPrecondition)
      #expect(try await live.test.sales.outgoing().count == 2)
      #expect(try await live.call(Sales.listShipmentRequests, .init(open: true)).shipmentRequests.isEmpty)
    }
  }

  @Test("of a line with many units all are told; of a decimal quantity nothing, which is all of it")
  func quantities() async throws {
    try await withSales { live in
      try await live.test.sales.add(
        order(), [line(1, quantity: 150), line(2), line(3, "CUP", quantity: Decimal("2.5") ?? 0)])
      try await taken(live)
      _ = try await live.call(
        Sales.reportShipment, .init(requestId: "EU-7-01", packages: [.init(id: "P-1", lineNumbers: [1, 2, 3])]))
      let rows = try await live.test.sales.outgoing()
      let shipped = try Magento.Oms.V1.LinesShipped(json: try #require(rows.first).message.body)
      #expect(
        shipped.packages.first?.aggregatedItems.map { "\($0.sku) \($0.quantity) \($0.orderLines)" } == [
          "MUG 151 [1, 2]", "CUP 0 [3]",
        ])
    }
  }

  @Test("a mere status is told as well, and ends no line")
  func status() async throws {
    try await withSales([.sqlite]) { live in
      try await taken(live)
      _ = try await live.call(
        Sales.reportShipment,
        .init(
          requestId: "EU-7-01",
          lineStatuses: [.init(lineNumber: 1, status: "RECEIVEDBYLOGISTICS", reason: "OSREPORTREC")]))
      let rows = try await live.test.sales.outgoing()
      #expect(rows.map(\.message.method) == [ShipmentReport.changeStatus] && rows[0].message.route == .delegate)
      let change = try Magento.Oms.V1.LinesChangeStatus(json: rows[0].message.body)
      #expect(change.shipmentRequestId == "EU-7-01" && change.items.map(\.statusReason) == ["OSREPORTREC"])
      let lines = try await live.call(Sales.listShipmentRequests, .init(open: true)).shipmentRequests[0].lines
      #expect(lines.map(\.status) == ["RECEIVEDBYLOGISTICS", "REQUESTED", "REQUESTED"])
    }
  }

  private static let nonsense: [(StatusCode, Omsconnector.V1.ReportShipmentRequest)] = [
    (.invalidArgument, .init(requestId: "EU-7-01")), (.notFound, .init(requestId: "none", declinedLines: [1])),
    (.invalidArgument, .init(requestId: "EU-7-01", declinedLines: [1, 1])),
    (.invalidArgument, .init(requestId: "EU-7-01", declinedLines: [9])),
    (.invalidArgument, .init(requestId: "EU-7-01", packages: [.init(id: "P")])),
    (.invalidArgument, .init(requestId: "EU-7-01", packages: [.init(lineNumbers: [1])])),
    (.invalidArgument, .init(requestId: "EU-7-01", lineStatuses: [.init(lineNumber: 1, status: "SHIPPED")])),
  ]

  @Test("a report that makes no sense is refused as a whole", arguments: nonsense.indices)
  func senselessReport(index: Int) async throws {
    try await withSales([.sqlite]) { live in
      try await taken(live)
      let (code, request) = Self.nonsense[index]
      let error = await live.failure { _ = try await live.call(Sales.reportShipment, request) }
      #expect(error?.code == code, "\(String(describing: error))")
      #expect(try await live.test.sales.outgoing().isEmpty)
    }
  }

  private static func carrier() throws -> ParcelCarrier {
    ParcelCarrier(
      name: "DHL", number: try CarrierPattern("{request}-{package}", names: ["request", "package"]),
      link: try CarrierPattern("https://t.example/?n={number}", names: ["number"]))
  }

  @Test("the carrier tells of each package, and leaves its id and its items as they were")
  func details() async throws {
    try await withSales([.sqlite], carrier: Self.carrier()) { live in
      let answer = try await live.consume(
        CarrierMessages.requestShippingDetails,
        #"{"shipment":{"shipment_request_id":"R 1","order_id":"7","packages":[{"id":"P-1","items":["1",2]},{"id":"P-2","items":[3],"tracking_number":"own"}]}}"#
      )
      let packages = try #require(try JSONDocument(parsing: Array(answer.utf8)).root.elements)
      #expect(
        packages.map { $0["id"]?.string } == ["P-1", "P-2"] && packages.map { $0["items"]?.text } == ["[1,2]", "[3]"])
      #expect(packages.map { $0["carrier"]?.string } == ["DHL", "DHL"])
      #expect(packages.map { $0["tracking_number"]?.string } == ["R 1-P-1", "own"])
      #expect(packages[0]["tracking_link"]?.string == "https://t.example/?n=R%201-P-1")
    }
  }

  @Test("without packages, and without a carrier, the question is refused")
  func noDetails() async throws {
    try await withSales([.sqlite], carrier: Self.carrier()) { live in
      for params in [#"{"shipment":{"order_id":"7"}}"#, "{}"] {
        let error = await live.failure { _ = try await live.consume(CarrierMessages.requestShippingDetails, params) }
        #expect(error?.code == .invalidArgument)
      }
    }
    try await withSales([.sqlite]) { live in
      let error = await live.failure { _ = try await live.consume(CarrierMessages.requestShippingDetails, "{}") }
      #expect(error?.code == .failedPrecondition && error?.message.contains("SALES_CARRIER") == true)
    }
  }

  @Test(
    "a pattern with a name that is none is refused at the start",
    arguments: [("{x}", "{x} is none of {number}"), ("{number", "a { is not closed")])
  func pattern(text: String, problem: String) {
    let error = #expect(throws: CarrierPatternError.self) { try CarrierPattern(text, names: ["number"]) }
    #expect(error?.description == problem)
  }
}
