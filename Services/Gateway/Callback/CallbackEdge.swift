import HTTP
import Messages
import RPC
import ServiceKit
import Storage

/// Where the OMS delivers its messages: `/service-bus` on GATEWAY_HTTP.
///
/// A message is answered when it is durable in the journal, or, where its method is synchronous, when its effect is; so an
/// acknowledged message is never lost. The same message again, by id and content, is answered alike and has no second effect.
struct CallbackEdge: Sendable {
  static let path = "/service-bus"
  /// Keys are cut to as many characters. Messages whose keys only differ behind it share an order, which does no harm.
  static let maxNameCharacters = 256

  /// How long a synchronous answer may take: the bus itself gives up at some time.
  static let synchronousTimeout = Duration.seconds(30)

  let signature: CallbackSignature
  let inbound: InboundQueue
  /// Those that an operator chose, besides those that always are.
  var synchronousMethods: Set<String> = []

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
      Log.warning("message refused", ["reason": "\(refusal.reason)"], trace: trace)
      let error = JSONRPCError(.handlerFailed, refusal.reason)
      return refusal.mayPass
        ? .jsonRPC(error, status: 503, headers: ["Retry-After": "5"]) : .jsonRPC(error, status: 401)
    }
    do throws(JSONRPCError) {
      return await accept(try Self.message(JSONRPCRequest(parsing: request.body), request.body, trace), trace)
    } catch {
      return await refuse(error, request.body, trace)
    }
  }

  /// The delivery's trace: the OMS's when it sends one, else a new one.
  private static func trace(of request: HTTPRequest) -> TraceContext {
    var received = ReceivedTrace()
    for value in request.headers.all("traceparent") { received.receive(traceparent: value) }
    for value in request.headers.all("tracestate") { received.receive(tracestate: value) }
    return received.context()
  }

  /// What goes into the journal. Nothing of the parsed message is held while it is made durable.
  private static func message(
    _ request: JSONRPCRequest, _ body: [UInt8], _ trace: TraceContext
  ) throws(JSONRPCError) -> IncomingMessage {
    let method = BusMethod.named(request.method)
    if method != nil, request.params?.kind != .object {
      throw JSONRPCError(.invalidParams, "params is \(request.params == nil ? "missing" : "no object")", id: request.id)
    }
    let digest = SHA256.digest(ofParts: [Array(request.method.utf8), request.params?.bytes ?? []])
    var message = IncomingMessage(
      deliveryID: request.id, method: cut(request.method), key: "", destination: "", body: body, digest: digest,
      traceparent: trace.traceparent)
    if let method {
      message.key = key(of: request, method)
      message.destination = method.service(of: request).rawValue
    } else {
      (message.status, message.reason) = (.ignored, "the method is not consumed here")
    }
    return message
  }

  private func accept(_ message: IncomingMessage, _ trace: TraceContext) async -> HTTPResponse {
    do {
      let receipt = try await inbound.accept(message)
      if message.status == .ignored {
        let text = "method \"\(message.method)\" is not consumed here"
        return .jsonRPC(JSONRPCError(.methodNotFound, text, id: message.deliveryID))
      }
      guard isSynchronous(message.method) else { return .jsonRPC(id: message.deliveryID, result: Array("true".utf8)) }
      let outcome = await Self.limited(to: Self.synchronousTimeout) { await inbound.outcome(of: receipt, message) }
      return Self.answer(message, outcome)
    } catch {
      Log.error(
        "message not accepted", ["delivery_id": .deliveryID(message.deliveryID), "reason": LogValue(error)],
        trace: trace)
      return .jsonRPC(
        JSONRPCError(
          .handlerFailed, "the message could not be made durable: send it again later", id: message.deliveryID),
        status: 503, headers: ["Retry-After": "5"])
    }
  }

  private func isSynchronous(_ method: String) -> Bool {
    synchronousMethods.contains(method) || BusMethod.named(method)?.isAlwaysSynchronous == true
  }

  /// The answer to a synchronous message.
  private static func answer(_ message: IncomingMessage, _ outcome: Receipt?) -> HTTPResponse {
    switch outcome {
    case .some(let receipt) where receipt.status == .success:
      return .jsonRPC(id: message.deliveryID, result: receipt.result)
    case .some(let receipt) where receipt.status != .pending:
      if !receipt.result.isEmpty { return .jsonRPC(id: message.deliveryID, error: receipt.result) }
      return .jsonRPC(JSONRPCError(.handlerFailed, receipt.reason, id: message.deliveryID))
    case let pending:
      let reason = pending?.reason ?? "the message is durable, its effect is not there yet: ask again later"
      return .jsonRPC(
        JSONRPCError(.handlerFailed, reason, id: message.deliveryID), status: 503, headers: ["Retry-After": "5"])
    }
  }

  /// A message that can't be read is kept for the operator, with as much of it as can be: its id, its method and its key.
  private func refuse(_ error: JSONRPCError, _ body: [UInt8], _ trace: TraceContext) async -> HTTPResponse {
    Log.warning("message refused", ["delivery_id": .deliveryID(error.id), "reason": "\(error)"], trace: trace)
    let (method, key) = JSONRPCRequest.names(in: body)
    do {
      _ = try await inbound.accept(
        IncomingMessage(
          deliveryID: error.id, method: Self.cut(method), key: Self.cut(key), destination: "", body: body,
          digest: SHA256.digest(ofParts: [body]), traceparent: trace.traceparent, status: .error,
          reason: "\(error)"))
    } catch {
      Log.error("message not in the journal", ["reason": LogValue(error)], trace: trace)
    }
    return .jsonRPC(error)
  }

  /// Cancels `body` after that time.
  private static func limited<Value: Sendable>(
    to limit: Duration, _ body: @escaping @Sendable () async -> Value?
  ) async -> Value? {
    let work = Task { await body() }
    let timer = Task {
      // A cancelled sleep is a body that was in time.
      if (try? await Task.sleep(for: limit)) != nil { work.cancel() }
    }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await work.value
    } onCancel: {
      work.cancel()
    }
  }

  /// The key of a message that is consumed.
  static func key(of request: JSONRPCRequest, _ method: BusMethod) -> String {
    cut(request.string(at: method.keyPath) ?? "")
  }

  private static func cut(_ name: String) -> String {
    // A name has no more characters than bytes, and to walk them costs more than the signature.
    if name.utf8.count <= maxNameCharacters { return name }
    return String(String.UnicodeScalarView(name.unicodeScalars.prefix(maxNameCharacters)))
  }
}
