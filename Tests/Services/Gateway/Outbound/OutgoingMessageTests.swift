import Messages
import RPC
import Testing

@testable import Gateway

@Suite("What may be handed over for the OMS")
struct OutgoingMessageTests {
  typealias Request = Omsconnector.Internal.V1.EnqueueRequest

  private static let valid = Request(
    deliveryId: "inventory-1f-7", method: "magento.inventory.source_stock_management.update", key: "SRC",
    route: .delegate, body: Array(#"{"snapshot":{}}"#.utf8))

  private static func request(_ change: (inout Request) -> Void) -> Request {
    var request = valid
    change(&request)
    return request
  }

  @Test("a message is taken as it is")
  func good() throws {
    let message = try OutgoingMessage(Self.valid, traceparent: "t")
    #expect(message.deliveryID == "inventory-1f-7" && message.destination == "delegate" && message.key == "SRC")
    #expect(message.body == Self.valid.body && message.traceparent == "t")
  }

  static let invalid: [(Request, [String])] = [
    (request { $0.deliveryId = "" }, ["delivery_id"]),
    (request { $0.deliveryId = String(repeating: "x", count: 257) }, ["delivery_id"]),
    (request { $0.method = "" }, ["method"]), (request { $0.method = "magento.a.b" }, ["method"]),
    (request { $0.method = "magento.a.b.c.d" }, ["method"]), (request { $0.method = "other.a.b.c" }, ["method"]),
    (request { $0.method = "magento.a.B.c" }, ["method"]), (request { $0.method = "magento.a..c" }, ["method"]),
    (request { $0.method = "magento.a.b.c\n" }, ["method"]), (request { $0.method = "magento.a.b.1c" }, ["method"]),
    (request { $0.method = "magento.a.b." + String(repeating: "c", count: 300) }, ["method"]),
    (request { $0.key = String(repeating: "k", count: 1_025) }, ["key"]),
    (request { $0.route = .unspecified }, ["route"]), (request { $0.route = .init(rawValue: 9) }, ["route"]),
    (request { $0.body = [] }, ["body"]), (request { $0.body = Array("[]".utf8) }, ["body"]),
    (request { $0.body = Array("{} {}".utf8) }, ["body"]), (request { $0.body = Array(#"{"a":"#.utf8) }, ["body"]),
    (request { $0.body = [0x22, 0xFF, 0x22] }, ["body"]),
    (
      request { $0.body = Array(#"{"a":""#.utf8) + Array(repeating: 0x61, count: 4 << 20) + Array(#""}"#.utf8) },
      ["body"]
    ),
    (Request(), ["delivery_id", "method", "body", "route"]),
  ]

  @Test("all that is wrong is named at once, field by field", arguments: invalid)
  func wrong(request: Request, fields: [String]) {
    let error = #expect(throws: RPCError.self) { try OutgoingMessage(request, traceparent: "") }
    #expect(error?.code == .invalidArgument)
    #expect(error?.fieldViolations.map(\.field) == fields)
  }

  @Test("questions to the OMS have ids of their own, no key, and the synchronous way")
  func questions() throws {
    let request = Omsconnector.Internal.V1.CallRequest(
      method: "magento.inventory.source_repository.search", body: Array("{}".utf8))
    let (one, two) = try (OutgoingMessage(request, traceparent: ""), OutgoingMessage(request, traceparent: ""))
    #expect(one.deliveryID != two.deliveryID && one.destination == "call" && one.key.isEmpty)
  }

  @Test("an envelope carries the params byte for byte")
  func envelope() {
    let bytes = JSONRPCEnvelope.bytes(
      deliveryID: #"a"b"#, method: "magento.a.b.c", params: Array(#"{ "price": 4.20, "ü": "\u00e4" }"#.utf8))
    #expect(
      String(decoding: bytes, as: UTF8.self)
        == #"{"jsonrpc":"2.0","id":"a\"b","method":"magento.a.b.c","params":{ "price": 4.20, "ü": "\u00e4" }}"#)
  }
}
