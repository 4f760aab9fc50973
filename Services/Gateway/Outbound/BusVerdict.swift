import HTTP
import Messages

/// What the OMS made of a message, as its answer says. Each is decided by what another try may change:
///
/// | answer | verdict |
/// |---|---|
/// | 2xx with an `error` that is absent, null or `""`; ids need not match; an empty body | taken |
/// | 2xx with error −32601 (unknown method), −32602 (bad params) or −32600 (bad request) | refused: the same bytes would be again |
/// | 2xx with another error, or one that is a text without a code | failed: a state of the OMS may pass, such as an order that it does not have yet |
/// | 2xx with something that is no JSON, such as a login page | failed |
/// | 401 to a fresh token | failed: the bus is there, and the client may lack the right for this method alone |
/// | 408, 429, 502, 503, 504, redirections, no token, no or half an answer | away |
/// | other 5xx | failed; away when it says `Retry-After` |
/// | other 4xx | refused |
///
/// Source: messages.md §1, "Client rule" and "Server rule"; connector.md §6.
enum BusVerdict: Sendable, Equatable {
  /// - result: the reply's result as JSON text; empty for none.
  case taken(result: [UInt8])
  /// The message will never be taken as it is.
  ///
  /// - error: the reply's error as JSON text; empty for none.
  case refused(String, error: [UInt8] = [])
  /// It was not taken, which may have to do with the message and may pass.
  case failed(String, error: [UInt8] = [])
  /// The OMS takes no messages now, whatever they are.
  case away(String, retryAfter: Duration? = nil)
}

extension BusVerdict {
  /// - Parameter clean: takes secrets out of a text that came from the bus.
  init(_ reply: ServiceBusReply, now: WallTime, clean: (String) -> String) {
    guard let failure = reply.failure else {
      self = .taken(result: reply.content?["result"]?.serialized ?? [])
      return
    }
    let response = reply.response
    let reason = clean("\(failure)")
    let retryAfter = RetryAfter.delay(response.headers, now: now)
    switch response.status {
    case 200..<300: self = Self.error(in: reply, reason, clean)
    case 401: self = .failed(reason)
    case 300..<400, 408, 429, 502, 503, 504: self = .away(reason, retryAfter: retryAfter)
    case 400..<500: self = .refused(reason)
    default:
      // Whoever says when to come back speaks of itself, not of the message.
      self = retryAfter == nil ? .failed(reason) : .away(reason, retryAfter: retryAfter)
    }
  }

  init(_ error: ServiceBusError, clean: (String) -> String) { self = .away(clean("\(error)")) }

  private static let finalCodes: Set<JSONRPCError.Code> = [.methodNotFound, .invalidParams, .invalidRequest]

  private static func error(in reply: ServiceBusReply, _ reason: String, _ clean: (String) -> String) -> BusVerdict {
    guard let error = reply.content?["error"] else { return .failed(reason) }
    let bytes = Array(clean(error.text).utf8)
    // Some write the number as a text.
    let code = error["code"]?.integer.flatMap { Int(exactly: $0) }.flatMap(JSONRPCError.Code.init(rawValue:))
    return code.map(finalCodes.contains) == true ? .refused(reason, error: bytes) : .failed(reason, error: bytes)
  }

  var isTaken: Bool { if case .taken = self { true } else { false } }

  /// What becomes of a message that was to be delivered.
  var outcome: DeliveryOutcome {
    switch self {
    case .taken(let result): .delivered(result: result)
    case .refused(let reason, let error): .refused(reason, reply: error)
    case .failed(let reason, _): .failed(reason)
    case .away(let reason, let retryAfter): .unavailable(reason, retryAfter: retryAfter)
    }
  }

  /// What becomes of a message that is sent once and never again.
  var end: JournalStore.End {
    switch self {
    case .taken(let result): .init(status: .success, reason: "", result: result)
    case .refused(let reason, let error), .failed(let reason, let error):
      .init(status: .error, reason: reason, result: error)
    case .away(let reason, _): .init(status: .error, reason: reason, result: [])
    }
  }
}
