import HTTP
import Messages
import RPC
import ServiceKit

/// Where the shop asks whether an order may be changed: `POST /webhooks/orders/CHANGE` on GATEWAY_HTTP, before it saves an invoice,
/// cancels an order and so on. CHANGE: hold, cancel, invoice, ship, refund, return, edit or status.
///
/// The body is a JSON object with the fields that the webhook is set up to send: `increment_id` or `order_id`, and where there is one
/// the `comment` of the document. The answer is that of Adobe Commerce's webhooks: `{"op":"success"}`, or
/// `{"op":"exception","message":…}`, which stops what was about to be done and is shown to who does it. What can't be answered is
/// no 2xx: whether the shop goes on then is said by the webhook's `required`.
///
/// Source: connector.md §9; magento-rules.md §6, "Blocking in the shop".
struct OrderWebhooks: Sendable {
  typealias Request = Omsconnector.V1.CheckOrderChangeRequest

  static let prefix = "/webhooks/orders/"
  /// The shop waits with its customer or administrator.
  static let timeout = Duration.seconds(5)
  static let bodyBytes = 1 << 20

  /// Why a request with this header `Authorization` is not let in; nil when it is.
  let refusal: @Sendable (_ authorization: String?) -> String?
  /// - Throws: `RPCError`: FAILED_PRECONDITION with the reason when the order may not be changed.
  let check: @Sendable (Request) async throws -> Void

  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    guard request.method == "POST" else {
      return Self.failure(405, "\(request.method) is not served here: POST the order", ["Allow": "POST"])
    }
    if let refusal = refusal(request.headers["Authorization"]) {
      return Self.failure(401, refusal, ["WWW-Authenticate": "Bearer"])
    }
    do throws(RPCError) {
      return await answer(try Self.question(request))
    } catch {
      return Self.failure(error.code == .notFound ? 404 : 400, error.message)
    }
  }

  private func answer(_ question: Request) async -> HTTPResponse {
    do {
      try await check(question)
      return .json(#"{"op":"success"}"#)
    } catch let error as RPCError where error.code == .failedPrecondition {
      return .json(#"{"op":"exception","message":\#(JSONText.quoted(error.message))}"#)
    } catch let error as RPCError where error.code == .invalidArgument {
      return Self.failure(400, error.message)
    } catch {
      Log.warning("the shop's question can't be answered", ["reason": LogValue(error)])
      return Self.failure(503, "the sales service can't say now: ask again later", ["Retry-After": "1"])
    }
  }

  private static func question(_ request: HTTPRequest) throws(RPCError) -> Request {
    let path = request.target.prefix { $0 != "?" }
    guard let change = changes[String(path.dropFirst(prefix.count))] else {
      throw RPCError(.notFound, "nothing is here: ask \(prefix)\(changes.keys.sorted().joined(separator: ", "))")
    }
    guard request.body.count <= bodyBytes else {
      throw .invalid(
        field: "body",
        "the body has \(request.body.count) bytes; at most \(bodyBytes): choose the fields order_id and comment")
    }
    let body: JSONValue
    do throws(MessageError) {
      body = try JSONDocument(parsing: request.body).root
    } catch {
      throw .invalid(field: "body", "\(error)")
    }
    func text(_ name: String) -> String { body[name]?.scalar ?? "" }
    let (number, id) = (text("increment_id"), text("order_id"))
    guard let orderID = id.isEmpty ? 0 : Int64(id), !number.isEmpty || orderID > 0 else {
      throw .invalid(
        field: "order_id",
        "neither increment_id nor order_id says which order: have the webhook send one of them, besides the comment")
    }
    return Request(
      incrementId: number, change: change, comment: text("comment"), orderId: number.isEmpty ? orderID : 0)
  }

  private static let changes: [String: Omsconnector.V1.OrderChange] = [
    "hold": .hold, "cancel": .cancel, "invoice": .invoice, "ship": .ship, "refund": .refund, "return": .return,
    "edit": .edit, "status": .status,
  ]

  private static func failure(_ status: Int, _ reason: String, _ headers: HTTPHeaders = [:]) -> HTTPResponse {
    .json(status: status, headers: headers, #"{"error":\#(JSONText.quoted(reason))}"#)
  }
}
