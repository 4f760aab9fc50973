import Messages
import RPC
import Stubs
import TestSupport
import Testing

@testable import Commerce
@testable import Sales
@testable import Storage

@Suite("Calls about orders")
struct OrderCallsTests {
  private typealias Sales = Omsconnector.V1.SalesServiceMethods

  @Test("an order that is submitted is sent, and seen with its lines; again it changes nothing")
  func submit() async throws {
    try await withSales { live in
      let json = String(decoding: try TestExport.order().content, as: UTF8.self)
      for _ in 0..<2 {
        let order = try #require(try await live.call(Sales.submitOrder, .init(orderJson: json)).order)
        #expect(order.exportState == .sent && order.lines.count == 3 && order.exportedAt != nil)
        #expect(order.grandTotal?.value == "25" && order.salesChannel == "EU-STORE")
      }
      #expect(try await live.test.outgoing() == ["create 000000007"])
      let found = try await live.call(Sales.getOrder, .init(incrementId: "000000007")).order
      #expect(found?.lines.map(\.sku) == ["SKU-9", "SKU-9", "STANDARD"])
      #expect(found?.lines.map(\.orderItemId) == [3, 3, 0])
      let missing = await live.failure { _ = try await live.call(Sales.getOrder, .init(incrementId: "8")) }
      #expect(missing?.code == .notFound)
    }
  }

  @Test("what can't be understood is refused, naming the field")
  func invalid() async throws {
    try await withSales([.sqlite]) { live in
      for (field, body) in [
        ("order_json", { _ = try await live.call(Sales.submitOrder, .init(orderJson: "{")) }),
        ("increment_id", { _ = try await live.call(Sales.getOrder, .init()) }),
        ("page_size", { _ = try await live.call(Sales.listOrders, .init(pageSize: -1)) }),
        ("page_token", { _ = try await live.call(Sales.listOrders, .init(pageToken: "x")) }),
        ("states", { _ = try await live.call(Sales.listOrders, .init(states: [.unspecified])) }),
        ("change", { _ = try await live.call(Sales.checkOrderChange, .init(incrementId: "7")) }),
        ("comment", { _ = try await live.call(Sales.commentOrder, .init(incrementId: "7")) }),
        ("attributes", { _ = try await live.call(Sales.setOrderAttributes, .init(incrementId: "7")) }),
        ("address", { _ = try await live.call(Sales.updateShippingAddress, .init(incrementId: "7")) }),
        ("reason", { _ = try await live.call(Sales.cancelOrder, .init(incrementId: "7", lineNumber: 1)) }),
        ("skus[0]", { _ = try await live.call(Sales.listOpenUnits, .init(skus: [""])) }),
      ] as [(String, () async throws -> Void)] {
        let error = await live.failure(body)
        #expect(error?.code == .invalidArgument, "\(field): \(String(describing: error))")
        #expect(error?.fieldViolations.map(\.field) == [field])
      }
    }
  }

  @Test("an order that waits is exported on request, from what was submitted where there is no shop")
  func export() async throws {
    try await withSales([.sqlite]) { live in
      live.test.world.change { $0.exported = [] }
      let json = String(decoding: try TestExport.order().content, as: UTF8.self)
      let held = try await live.call(Sales.submitOrder, .init(orderJson: json)).order
      #expect(held?.exportState == .held && held?.reason.contains("SKU-9") == true && held?.needsAttention == false)
      live.test.world.change { $0.exported = [9] }
      let sent = try await live.call(Sales.exportOrder, .init(incrementId: "000000007")).order
      #expect(sent?.exportState == .sent && sent?.reason == "")
      let unknown = await live.failure { _ = try await live.call(Sales.exportOrder, .init(incrementId: "8")) }
      #expect(unknown?.code == .failedPrecondition && unknown?.message.contains("COMMERCE_URL") == true)
    }
  }

  @Test("a list goes through all pages, and a token is good for its own list only")
  func list() async throws {
    try await withSales { live in
      for number in 1...5 { try await live.test.sales.add(order("\(number)", .accepted, createdAt: Int64(number / 2))) }
      try await live.test.sales.add(order("6", .failed, createdAt: 9))
      var found: [String] = []
      var token = ""
      repeat {
        let page = try await live.call(Sales.listOrders, .init(pageSize: 2, pageToken: token))
        found += page.orders.map(\.incrementId)
        token = page.nextPageToken
        if !token.isEmpty {
          let foreign = await live.failure {
            _ = try await live.call(Sales.listOrders, .init(pageToken: token, needsAttention: true))
          }
          #expect(foreign?.code == .invalidArgument)
        }
      } while !token.isEmpty
      #expect(found == ["6", "5", "4", "3", "2", "1"])
      let failed = try await live.call(Sales.listOrders, .init(needsAttention: true))
      #expect(failed.orders.map(\.incrementId) == ["6"] && failed.orders[0].lines.isEmpty)
    }
  }

  @Test("the shop may change an order until the OMS may have it", arguments: ExportState.allCases)
  func ownership(state: ExportState) async throws {
    try await withSales([.sqlite]) { live in
      var known = order("7", state)
      known.sentAt = 1_700_000_000_000_000_000
      try await live.test.sales.add(known)
      let error = await live.failure {
        _ = try await live.call(Sales.checkOrderChange, .init(incrementId: "7", change: .cancel))
      }
      if [.held, .failed].contains(state) {
        #expect(error == nil)
      } else {
        #expect(error?.code == .failedPrecondition)
        #expect(
          error?.message
            == "order 7 belongs to the OMS, which has it since 2023-11-14T22:13:20Z: it can't be cancelled in "
            + "the shop; ask the OMS to cancel it, at the OMS or with: omsctl orders cancel 7")
      }
      _ = try await live.call(Sales.checkOrderChange, .init(incrementId: "unknown", change: .edit))
    }
  }

  @Test("what the connector itself carries out is not refused while it does", arguments: TestEngine.allCases)
  func own(engine: TestEngine) async throws {
    try await withSales([engine]) { live in
      try await live.test.sales.add(order("7"))
      let queue = live.store.orderQueue
      let check = { (change: Omsconnector.V1.OrderChange) in
        await live.failure { _ = try await live.call(Sales.checkOrderChange, .init(incrementId: "7", change: change)) }
      }
      try await live.test.sales.database.write { try queue.add($0, "7") }
      #expect(await check(.ship)?.code == .failedPrecondition)
      _ = try await live.test.sales.database.write { try queue.claim($0, limit: 1, holder: "me", for: .seconds(60)) }
      for change in [Omsconnector.V1.OrderChange.ship, .invoice] { #expect(await check(change) == nil) }
      #expect(await check(.refund)?.code == .failedPrecondition)
    }
  }

  @Test(
    "credit memos and returns of the connector's pass by their mark",
    arguments: [
      (.refund, "OMS credit note CDE1", true), (.refund, "OMS credit note ", false), (.refund, "OMS return R-1", false),
      (.refund, "as the OMS said", false), (.return, "OMS return R-1", true), (.cancel, "OMS credit note CDE1", false),
    ] as [(Omsconnector.V1.OrderChange, String, Bool)])
  func marked(change: Omsconnector.V1.OrderChange, comment: String, passes: Bool) async throws {
    try await withSales([.sqlite]) { live in
      try await live.test.sales.add(order("7"))
      let error = await live.failure {
        _ = try await live.call(
          Sales.checkOrderChange, .init(incrementId: "7", change: change, comment: comment))
      }
      #expect(passes ? error == nil : error?.code == .failedPrecondition, "\(String(describing: error))")
    }
  }

  @Test("commands to the OMS say what they are about, behind everything else of the order")
  func commands() async throws {
    try await withSales { live in
      try await live.test.sales.add(order("7"), [line(1), line(2)])
      _ = try await live.call(Sales.cancelOrder, .init(incrementId: "7", user: "ann"))
      _ = try await live.call(
        Sales.cancelOrder, .init(incrementId: "7", lineNumber: 2, reason: "CUSTOMERREQ", user: "ann"))
      for _ in 0..<2 {
        _ = try await live.call(
          Sales.commentOrder, .init(incrementId: "7", comment: "ring", user: "ann", requestId: "r-1"))
      }
      _ = try await live.call(
        Sales.setOrderAttributes, .init(incrementId: "7", attributes: [.init(name: "a", value: "b")]))
      let last = try await live.call(
        Sales.setOrderAttributes, .init(incrementId: "7", lineNumber: 1, attributes: [.init(name: "a", value: "b")]))
      let rows = try await live.test.sales.outgoing()
      #expect(rows.map(\.message.key) == Array(repeating: "7", count: 5))
      #expect(rows.last?.deliveryID == last.deliveryId)
      #expect(
        try await live.test.outgoing() == [
          "cancel 7", "cancel_line 7", "create_comment 7", "update_custom_attributes 7",
          "update_line_custom_attributes 7",
        ])
      let bodies = rows.map { String(decoding: $0.message.body, as: UTF8.self) }
      #expect(bodies[0] == #"{"order_id":"7","sales_channel_id":"EU-STORE","user":"ann"}"#)
      #expect(bodies[1].contains(#""line_number":2,"reason":"CUSTOMERREQ""#))
      #expect(bodies[2].contains(#""comment":"ring""#) && bodies[2].contains("+00:00"))
      #expect(bodies[3].contains(#""custom_attributes":[{"name":"a","attribute_code":"a","value":"b"}]"#))
      #expect(bodies[4].contains(#""line_id":"3","line_number":"1""#))
      #expect(live.test.world.read { $0.additions } == 6)
    }
  }

  @Test("another address goes to every line that is still to be sent")
  func address() async throws {
    try await withSales([.sqlite]) { live in
      var (shipped, virtual) = (line(2), line(3))
      shipped.shippedAt = 1
      virtual.kind = .virtual
      try await live.test.sales.add(order("7"), [line(1), shipped, virtual, line(4)])
      let address = Omsconnector.V1.OrderAddress(
        firstName: "Ada", lastName: "B", street: ["Way 1", "", "c/o C"], city: "Ulm", countryCode: "DE")
      _ = try await live.call(
        Sales.updateShippingAddress, .init(incrementId: "7", address: address, force: true))
      let sent = try await live.test.sales.outgoing().map {
        try Magento.Oms.V1.OrderShippingAddress(json: $0.message.body).shippingAddressModification
      }
      #expect(sent.map { $0?.lineNumber } == ["1", "4"] && sent.allSatisfy { $0?.force == true })
      #expect(sent.first??.newShippingAddress?.address2 == "c/o C")
      try await live.test.sales.add(order("8"), [virtual])
      let error = await live.failure {
        _ = try await live.call(Sales.updateShippingAddress, .init(incrementId: "8", address: address))
      }
      #expect(error?.code == .failedPrecondition)
    }
  }

  @Test("what makes no sense for the order as it is, is refused, and nothing is sent")
  func refused() async throws {
    try await withSales([.sqlite]) { live in
      try await live.test.sales.add(order("held", .held))
      var ended = order("ended")
      ended.omsStatus = "COMPLETE"
      try await live.test.sales.add(ended)
      var (shipping, shipped) = (line(2), line(3))
      shipping.kind = .shipping
      shipped.shippedAt = 1
      try await live.test.sales.add(order("7"), [line(1), shipping, shipped])
      let requests: [(StatusCode, Omsconnector.V1.CancelOrderRequest)] = [
        (.notFound, .init(incrementId: "none")), (.failedPrecondition, .init(incrementId: "held")),
        (.failedPrecondition, .init(incrementId: "ended")),
        (.failedPrecondition, .init(incrementId: "7", lineNumber: 2, reason: "R")),
        (.failedPrecondition, .init(incrementId: "7", lineNumber: 3, reason: "R")),
        (.invalidArgument, .init(incrementId: "7", lineNumber: 9, reason: "R")),
      ]
      for (code, request) in requests {
        let error = await live.failure { _ = try await live.call(Sales.cancelOrder, request) }
        #expect(error?.code == code, "\(request.incrementId) \(request.lineNumber): \(String(describing: error))")
      }
      #expect(try await live.test.sales.outgoing().isEmpty)
    }
  }

  @Test("resuming clears what somebody had to look at, and has the shop's side looked at")
  func resume() async throws {
    try await withSales { live in
      try await live.test.sales.add(order("7"))
      try await live.test.sales.database.write { try live.store.setAttention($0, of: "7", "look") }
      #expect(try await live.call(Sales.getOrder, .init(incrementId: "7")).order?.needsAttention == true)
      let order = try await live.call(Sales.resumeOrder, .init(incrementId: "7")).order
      #expect(order?.needsAttention == false)
      #expect(try await live.test.work(live.store.orderQueue, "7") != nil)
    }
  }

  @Test("resuming ends a step that nobody could decide, and leaves one that is under way to end by itself")
  func resumeSteps() async throws {
    try await withSales { live in
      let store = live.store
      for (id, isUndecided) in [("7", true), ("8", false)] {
        try await live.test.sales.add(order(id))
        try await live.test.sales.database.write { connection in
          try store.setAttention(connection, of: id, "look")
          try store.begin(
            connection, of: id,
            BegunStep(
              kind: .invoice, marker: "OMS", captures: true, knownCaptures: 0, totalPaid: 0, amount: 5, begunAt: 1))
          if isUndecided { try store.leaveStep(connection, of: id) }
        }
        _ = try await live.call(Sales.resumeOrder, .init(incrementId: id))
        let step = try await live.test.sales.database.read { try store.begunStep($0, of: id) }
        #expect((step == nil) == isUndecided)
      }
    }
  }

  @Test("resuming an order that waits has it tried again")
  func resumeHeld() async throws {
    try await withSales([.sqlite]) { live in
      try await live.test.sales.add(order("7", .held))
      _ = try await live.call(Sales.resumeOrder, .init(incrementId: "7"))
      #expect(try await live.test.work(live.store.exportQueue, "7") != nil)
    }
  }

  @Test("open units come by SKU, or all of them in pages")
  func openUnits() async throws {
    try await withSales { live in
      try await live.test.sales.add(order("1"), [line(1, "A"), line(2, "B"), line(3, "C")])
      try await live.test.sales.add(order("2", .held), [line(1, "B", quantity: 2)])
      let some = try await live.call(Sales.listOpenUnits, .init(skus: ["B", "X"])).openUnits
      #expect(
        some.map { "\($0.sku) \($0.website) \($0.acknowledged?.value ?? "") \($0.unacknowledged?.value ?? "")" } == [
          "B base 1 2"
        ])
      var found: [String] = []
      var token = ""
      repeat {
        let page = try await live.call(Sales.listOpenUnits, .init(pageSize: 2, pageToken: token))
        found += page.openUnits.map(\.sku)
        token = page.nextPageToken
      } while !token.isEmpty
      #expect(found == ["A", "B", "C"])
    }
  }

  @Test("payment commands that are stuck are shown on the order and by doctor, and taken up when the order is resumed")
  func stuckPayments() async throws {
    try await withSales { live in
      let store = live.store
      try await live.test.sales.add(order("7", .accepted))
      try await live.test.sales.add(order("8", .accepted))
      let command = PaymentCommand(key: "k", kind: .capture, orderID: "7", body: Array("{}".utf8))
      try await live.test.sales.database.write { connection in
        try store.add(connection, command)
        for item in try PaymentCommand.queue.claim(connection, limit: 1, holder: "test", for: .seconds(30)) {
          try PaymentCommand.queue.park(connection, item, reason: "no integration")
        }
      }
      typealias Methods = Omsconnector.Internal.V1.CapabilityServiceMethods
      func finding() async throws -> Omsconnector.V1.Finding? {
        try await live.call(Methods.diagnose, .init()).findings.first { $0.check == "payment-commands-stuck" }
      }
      let text = "the OMS's payment command capture is not carried out: no integration"
      let shown = try await live.call(Sales.getOrder, .init(incrementId: "7")).order
      #expect(shown?.needsAttention == true && shown?.reason == text)
      let listed = try await live.call(Sales.listOrders, .init(needsAttention: true)).orders
      #expect(listed.map(\.incrementId) == ["7"] && listed.first?.reason == text)
      let found = try await finding()
      #expect(found?.level == .error && found?.message.contains("capture of order 7: no integration") == true)
      #expect(found?.remedy.contains("omsctl orders resume") == true)
      _ = try await live.call(Sales.resumeOrder, .init(incrementId: "7", lookOnly: true))
      #expect(try await finding()?.level == .error)
      let resumed = try await live.call(Sales.resumeOrder, .init(incrementId: "7")).order
      #expect(resumed?.needsAttention == false && resumed?.reason == "")
      #expect(try await finding()?.level == .ok)
    }
  }

  @Test("without a shop the features say so, with what to do")
  func capabilities() async throws {
    try await withSales([.sqlite]) { live in
      typealias Methods = Omsconnector.Internal.V1.CapabilityServiceMethods
      let all = try await live.call(Methods.listCapabilities, .init())
      #expect(
        all.features.map(\.name) == [
          "order-export", "gift-cards", "store-credit", "custom-order-attributes", "simple-and-configurable-products",
          "virtual-products", "bundle-products", "logistics-import", "partial-shipment", "partial-capture",
        ])
      #expect(all.features.first?.state == .notConfigured && all.features.first?.remedy == "set COMMERCE_URL")
      #expect(all.functions.map(\.name) == ["order-management", "shipping-and-payment-methods"])
      var held = order("7", .held)
      held.reason = "\(ExportHold.paymentMethod("adyen"))"
      try await live.test.sales.add(held)
      let findings = try await live.call(Methods.diagnose, .init()).findings
      let method = findings.first { $0.check == "mapped-methods" }
      #expect(method?.message == "payment method \"adyen\" is not mapped; 1 orders wait for it")
      #expect(method?.remedy == "add `payment adyen = …` to the mapping file, and start the services again")
    }
  }
}
