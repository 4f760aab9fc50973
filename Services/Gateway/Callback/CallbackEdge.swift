import HTTP
import Messages
import RPC
import ServiceKit

/// Where the OMS delivers its messages: `/service-bus` on GATEWAY_HTTP.
///
/// The answer to a message comes after the service has made its effect durable, so an acknowledged message is never
/// lost.
struct CallbackEdge: Sendable {
  /// Hands a message to a service and returns when its effect is durable.
  typealias Consume =
    @Sendable (ConnectorService, Omsconnector.Internal.V1.ConsumeRequest, TraceContext) async throws
    -> Omsconnector.Internal.V1.ConsumeResponse

  static let path = "/service-bus"
  /// Keys are cut to as many characters. Messages whose keys only differ behind it share an order, which does no harm.
  static let maxNameCharacters = 256

  let signature: CallbackSignature
  let consume: Consume

  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    guard request.target == Self.path else {
      return .jsonRPC(JSONRPCError(.invalidRequest, "nothing is here: messages go to \(Self.path)"), status: 404)
    }
    switch request.method {
    case "OPTIONS":
      // The bus probes a callback before it accepts a registration. Source: messages.md §1, "Callback probe".
      return HTTPResponse(status: 200, headers: ["X-Magento-Service-Bus": "*", "Allow": "OPTIONS, POST"])
    case "POST": return await receive(request)
    default:
      let error = JSONRPCError(.invalidRequest, "\(request.method) is not served here: POST the message")
      return .jsonRPC(error, status: 405, headers: ["Allow": "OPTIONS, POST"])
    }
  }

  /// The answer to a request that the server does not hand on.
  static func rejection(_ rejection: HTTPRejection) -> HTTPResponse {
    let isTooLarge = rejection.status == 413
    if isTooLarge { Log.warning("message refused", ["reason": "\(rejection.message)"]) }
    return .jsonRPC(
      JSONRPCError(isTooLarge ? .invalidRequest : .handlerFailed, rejection.message), status: rejection.status,
      headers: isTooLarge ? [:] : ["Retry-After": "5"])
  }

  private func receive(_ request: HTTPRequest) async -> HTTPResponse {
    let trace = Self.trace(of: request)
    if let refusal = signature.refusal(request) {
      Log.warning("message refused", ["reason": "\(refusal)"], trace: trace)
      return .jsonRPC(JSONRPCError(.handlerFailed, refusal), status: 401)
    }
    do throws(JSONRPCError) {
      let (message, service) = try Self.delivery(of: JSONRPCRequest(parsing: request.body))
      return await deliver(message, to: service, trace)
    } catch {
      Log.warning("message refused", ["delivery_id": .deliveryID(error.id), "reason": "\(error)"], trace: trace)
      return .jsonRPC(error)
    }
  }

  /// The delivery's trace: the OMS's when it sends one, else a new one.
  private static func trace(of request: HTTPRequest) -> TraceContext {
    var received = ReceivedTrace()
    for field in request.headers.fields {
      switch field.name.lowercased() {
      case "traceparent": received.receive(traceparent: field.value)
      case "tracestate": received.receive(tracestate: field.value)
      default: break
      }
    }
    var random = SystemRandomNumberGenerator()
    return received.context(&random)
  }

  /// What the service gets. Nothing of the parsed message is held while the service works on it.
  private static func delivery(
    of message: JSONRPCRequest
  ) throws(JSONRPCError) -> (Omsconnector.Internal.V1.ConsumeRequest, ConnectorService) {
    guard let method = BusMethod.named(message.method) else {
      throw JSONRPCError(.methodNotFound, "method \"\(cut(message.method))\" is not consumed here", id: message.id)
    }
    guard let params = message.params, params.kind == .object else {
      throw JSONRPCError(.invalidParams, "params is \(message.params == nil ? "missing" : "no object")", id: message.id)
    }
    let key = message.string(at: method.keyPath) ?? ""
    let request = Omsconnector.Internal.V1.ConsumeRequest(
      deliveryId: message.id, method: method.name, key: cut(key), body: params.serialized)
    return (request, method.service)
  }

  private func deliver(
    _ message: Omsconnector.Internal.V1.ConsumeRequest, to service: ConnectorService, _ trace: TraceContext
  ) async -> HTTPResponse {
    do {
      return .jsonRPC(id: message.deliveryId, result: try await consume(service, message, trace).result)
    } catch {
      return failure(error, message, service, trace)
    }
  }

  private static func cut(_ name: String) -> String {
    String(String.UnicodeScalarView(name.unicodeScalars.prefix(maxNameCharacters)))
  }

  private func failure(
    _ error: any Error, _ message: Omsconnector.Internal.V1.ConsumeRequest, _ service: ConnectorService,
    _ trace: TraceContext
  ) -> HTTPResponse {
    let failure = ConsumeFailure(error, service: service)
    Log.warning(
      "message failed",
      [
        "delivery_id": .deliveryID(message.deliveryId), "method": "\(message.method)", "service": "\(service)",
        "reason": "\(error)",
      ], trace: trace)
    let reply = JSONRPCError(failure.code, failure.message, id: message.deliveryId)
    return failure.mayPass ? .jsonRPC(reply, status: 503, headers: ["Retry-After": "5"]) : .jsonRPC(reply)
  }
}
