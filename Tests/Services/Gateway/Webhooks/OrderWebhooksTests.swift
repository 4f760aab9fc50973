import EventLoop
import HTTP
import Messages
import RPC
import Testing

@testable import Gateway

@Suite("Webhooks of the shop about orders")
struct OrderWebhooksTests {
  private func ask(
    _ target: String, _ body: String, method: String = "POST", authorization: String? = "Bearer good",
    check: @escaping @Sendable (OrderWebhooks.Request) async throws -> Void = { _ in }
  ) async -> HTTPResponse {
    let webhooks = OrderWebhooks(refusal: { $0 == "Bearer good" ? nil : "no token" }, check: check)
    var headers: HTTPHeaders = [:]
    if let authorization { headers["Authorization"] = authorization }
    return await webhooks.handle(HTTPRequest(method: method, target: target, headers: headers, body: Array(body.utf8)))
  }

  private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

  @Test(
    "the order is found by its number or its id, whichever the webhook sends",
    arguments: [
      (#"{"increment_id":"000000007"}"#, OrderWebhooks.Request(incrementId: "000000007", change: .invoice)),
      (#"{"order_id":7,"comment":"OMS refund 1"}"#, .init(change: .invoice, comment: "OMS refund 1", orderId: 7)),
      (#"{"order_id":"7","increment_id":null,"comment":null}"#, .init(change: .invoice, orderId: 7)),
      (#"{"order_id":7,"increment_id":"A-1","other":{"x":[1]}}"#, .init(incrementId: "A-1", change: .invoice)),
    ])
  func question(body: String, expected: OrderWebhooks.Request) async {
    let asked = Lock<[OrderWebhooks.Request]>([])
    let answer = await ask("/webhooks/orders/invoice", body) { question in asked.withLock { $0.append(question) } }
    #expect(answer.status == 200 && text(answer) == #"{"op":"success"}"#)
    #expect(asked.withLock { $0 } == [expected])
  }

  @Test(
    "what is about to be done is in the path",
    arguments: [
      ("hold", Omsconnector.V1.OrderChange.hold), ("cancel", .cancel), ("ship", .ship), ("refund", .refund),
      ("return", .return), ("edit", .edit), ("status", .status), ("invoice?x=1", .invoice),
    ])
  func changes(path: String, change: Omsconnector.V1.OrderChange) async {
    let asked = Lock<Omsconnector.V1.OrderChange?>(nil)
    _ = await ask("/webhooks/orders/\(path)", #"{"order_id":1}"#) { question in
      asked.withLock { $0 = question.change }
    }
    #expect(asked.withLock { $0 } == change)
  }

  @Test("a refusal stops what was about to be done, with its reason")
  func refused() async {
    let answer = await ask("/webhooks/orders/cancel", #"{"order_id":1}"#) { _ in
      throw RPCError(.failedPrecondition, "order \"7\" belongs to the OMS")
    }
    #expect(answer.status == 200)
    #expect(text(answer) == #"{"op":"exception","message":"order \"7\" belongs to the OMS"}"#)
  }

  @Test(
    "what can't be answered is no 2xx, so that the webhook's own setting decides",
    arguments: [StatusCode.unavailable, .deadlineExceeded, .internalError, .resourceExhausted])
  func unanswered(code: StatusCode) async {
    let answer = await ask("/webhooks/orders/cancel", #"{"order_id":1}"#) { _ in throw RPCError(code, "secret place") }
    #expect(answer.status == 503 && answer.headers["Retry-After"] == "1" && !text(answer).contains("secret"))
  }

  @Test(
    "hostile questions are refused, and ask nobody",
    arguments: [
      ("/webhooks/orders/cancel", "", 400), ("/webhooks/orders/cancel", "[]", 400),
      ("/webhooks/orders/cancel", "{}", 400), ("/webhooks/orders/cancel", #"{"order_id":0}"#, 400),
      ("/webhooks/orders/cancel", #"{"order_id":-1}"#, 400), ("/webhooks/orders/cancel", #"{"order_id":"x"}"#, 400),
      ("/webhooks/orders/cancel", #"{"order_id":99999999999999999999}"#, 400),
      ("/webhooks/orders/cancel", #"{"order_id":{"a":1}}"#, 400), ("/webhooks/orders/", #"{"order_id":1}"#, 404),
      ("/webhooks/orders/delete", #"{"order_id":1}"#, 404),
      ("/webhooks/orders/cancel/1", #"{"order_id":1}"#, 404),
      ("/webhooks/orders/cancel", #"{"order_id":1,"x":"\#(String(repeating: "y", count: 1 << 20))"}"#, 400),
    ])
  func hostile(target: String, body: String, status: Int) async {
    let answer = await ask(target, body) { _ in Issue.record("it was asked") }
    #expect(answer.status == status, "\(text(answer))")
  }

  @Test("only POST is served, and only to who has a token")
  func access() async {
    #expect(await ask("/webhooks/orders/cancel", #"{"order_id":1}"#, method: "GET").status == 405)
    for authorization in [nil, "", "Bearer bad", "good"] as [String?] {
      let answer = await ask("/webhooks/orders/cancel", #"{"order_id":1}"#, authorization: authorization)
      #expect(answer.status == 401 && text(answer).contains("no token"))
    }
  }

  @Test("without tokens nobody is let in, unless everybody is")
  func withoutTokens() throws {
    #expect(GatewayAccess.everybody(exposed: []).webhookRefusal(nil)(nil) == nil)
    for access in [GatewayAccess.none, .certificates] {
      #expect(access.webhookRefusal(nil)("Bearer anything")?.contains("GATEWAY_TOKENS_FILE") == true)
    }
  }
}
