import EventLoop
import Glibc
import Messages
import RPC
import ServiceKit
import Stubs
import Testing

@testable import Control

@Suite("omsctl's commands of orders")
struct OrderCommandTests {
  private typealias Sales = Omsconnector.V1.SalesServiceMethods

  @Test(
    "wrong use is said before anybody is called",
    arguments: [
      (
        ["orders", "list", "--state", "LOST"],
        "\"LOST\" is not one of HELD, SENT, ACCEPTED, FAILED, UNCONFIRMED, FOREIGN"
      ),
      (["orders", "show"], "usage: omsctl orders show ORDER"), (["orders", "comment", "7"], "ORDER TEXT"),
      (["orders", "cancel", "7", "--line", "2"], "needs --reason"),
      (["orders", "cancel", "7", "--line", "x"], "\"x\""),
      (["orders"], "  orders list  "), (["order", "list"], "the nearest is \"orders list\""),
      (["shipments", "ship", "R"], "needs --package"), (["shipments", "ship", "R", "--package", "P"], "needs --lines"),
      (["shipments", "decline", "R", "--lines", "1,,2"], "\"\" is not a whole number"),
    ])
  func wrongUse(arguments: [String], expected: String) async {
    let captured = Captured()
    let code = await ControlMain.run(arguments, environment: [:], console: captured.console)
    #expect(code == 2)
    #expect(captured.error.contains(expected), "\(captured.error)")
  }

  @Test("a list shows what waits and why, through all pages")
  func list() async throws {
    let register: (inout Router) -> Void = { router in
      router.unary(Sales.listOrders) { request, _ in
        #expect(request.states == [.held, .failed] && request.needsAttention)
        let start = Int(request.pageToken) ?? 0
        let orders = (start..<min(start + Int(request.pageSize), 1_500)).map {
          Omsconnector.V1.Order(
            incrementId: "\($0)", exportState: .held, reason: "no \u{1B}", needsAttention: true, currency: "EUR",
            grandTotal: .init(value: "4.2"))
        }
        return .init(orders: orders, nextPageToken: start == 0 ? "1000" : "")
      }
    }
    let arguments = ["orders", "list", "--state", "held,FAILED", "--attention", "--limit", "2000"]
    let table = try await run(arguments, register)
    #expect(table.code == 0 && table.out.split(separator: "\n").count == 1_501)
    #expect(table.out.contains("HELD          4.2  EUR"), "\(table.out.prefix(300))")
    #expect(table.out.contains("! no \\u{1b}"))
    let json = try await run(arguments + ["--json"], register)
    #expect(try Omsconnector.V1.ListOrdersResponse(json: Array(json.out.utf8)).orders.count == 1_500)
    let few = try await run(["orders", "list", "--state", "held,FAILED", "--attention", "--limit", "10"], register)
    #expect(few.err == "there are more; raise --limit to see them\n")
  }

  @Test("an order is shown with its lines and what was done for it", arguments: ["show", "export", "resume"])
  func show(verb: String) async throws {
    let order = Omsconnector.V1.Order(
      incrementId: "000000007", entityId: 7, exportState: .accepted, omsStatus: "LOGISTICS",
      omsStatusReason: "READYTOSHIP",
      currency: "EUR", grandTotal: .init(value: "25"), salesChannel: "EU",
      lines: [
        .init(
          lineNumber: 1, sku: "MUG", name: "Mug", productType: "PHYSICAL", quantity: .init(value: "1"), shipped: true)
      ],
      documents: [.init(kind: "shipment", reason: "EU-7-01", entityId: 12)])
    let result = try await run(["orders", verb, "000000007"]) { router in
      router.unary(Sales.getOrder) { _, _ in .init(order: order) }
      router.unary(Sales.exportOrder) { _, _ in .init(order: order) }
      router.unary(Sales.resumeOrder) { _, _ in .init(order: order) }
    }
    #expect(result.code == 0)
    #expect(result.out.hasPrefix("ORDER 000000007  ACCEPTED\n"))
    #expect(result.out.contains("OMS status       LOGISTICS (READYTOSHIP)\n"))
    #expect(result.out.contains("shipment         12, for EU-7-01\n"))
    #expect(result.out.contains("1  PHYSICAL  MUG"))
  }

  @Test("what the OMS is asked is answered with where to find it")
  func asks() async throws {
    let register: (inout Router) -> Void = { router in
      router.unary(Sales.cancelOrder) { request, _ in
        #expect(request.lineNumber == 2 && request.reason == "R" && request.user == "ann")
        return .init(deliveryId: "sales-1")
      }
      router.unary(Sales.commentOrder) { request, _ in
        #expect(request.comment == "ring twice" && !request.requestId.isEmpty)
        return .init(deliveryId: "sales-2")
      }
      router.unary(Sales.reportShipment) { request, _ in
        #expect(request.packages.map(\.lineNumbers) == [[1, 2]] || request.declinedLines == [3])
        return .init(deliveryIds: ["sales-3"])
      }
    }
    for (arguments, id) in [
      (["orders", "cancel", "7", "--line", "2", "--reason", "R", "--by", "ann"], "sales-1"),
      (["orders", "comment", "7", "ring twice"], "sales-2"),
      (["shipments", "ship", "R", "--lines", "1,2", "--package", "P", "--carrier", "DHL"], "sales-3"),
      (["shipments", "decline", "R", "--lines", "3"], "sales-3"),
    ] {
      let result = try await run(arguments, register)
      #expect(result.code == 0)
      #expect(result.out == "on its way to the OMS as \(id): see omsctl journal list --delivery-id \(id)\n")
    }
  }

  @Test("shipment requests are shown with their lines")
  func shipments() async throws {
    let result = try await run(["shipments", "list", "--open"]) { router in
      router.unary(Sales.listShipmentRequests) { request, _ in
        #expect(request.open)
        return .init(shipmentRequests: [
          .init(
            requestId: "EU-7-01", incrementId: "7", sourceId: "WH-1",
            lines: [
              .init(lineNumber: 1, sku: "A", status: "REQUESTED"), .init(lineNumber: 2, sku: "B", status: "SHIPPED"),
            ])
        ])
      }
    }
    let lines = result.out.split(separator: "\n")
    #expect(
      lines.count == 3 && lines[1].hasPrefix("EU-7-01  7") && lines[2].hasSuffix("2  B    SHIPPED"), "\(result.out)")
  }
}
