import RPC
import ServiceKit

/// What a service's failure to consume a message means for the message.
struct ConsumeFailure: Equatable {
  let outcome: DeliveryOutcome

  init(_ error: any Error, service: ConnectorService) {
    guard let error = error as? RPCError else {
      Log.error(
        "message failed for a reason of the gateway's own", ["service": "\(service)", "reason": LogValue(error)])
      outcome = .failed("\(service) could not consume the message; the gateway's log has the reason")
      return
    }
    switch error.code {
    // The call was never begun, so it says nothing of the message. Where the service is, is for the log.
    case .unavailable where error.cause is NoConnection:
      Log.debug("can't be reached", ["service": "\(service)", "reason": "\(error.message)"])
      outcome = .unavailable("\(service) can't be reached", retryAfter: nil)
    // The service lives and says when to come again, whatever the message: its store is full, locked, gone.
    case _ where error.retryDelay != nil:
      outcome = .unavailable("\(service): \(error.message)", retryAfter: error.retryDelay)
    case .invalidArgument, .outOfRange: outcome = Self.refused(.invalidParams, error.message)
    case .failedPrecondition, .notFound, .alreadyExists: outcome = Self.refused(.handlerFailed, error.message)
    case .unimplemented: outcome = Self.refused(.methodNotFound, "\(service) does not consume this method")
    // The message may be slow, or the service hangs.
    case .deadlineExceeded: outcome = .unanswered("\(service): \(error.message)")
    // A service that dies of a message looks like this too.
    default: outcome = .failed("\(service): \(error.message)")
    }
  }

  /// For the operator and, where the OMS waits for the effect, for the OMS: messages.md §1, "Server rule".
  private static func refused(_ code: JSONRPCError.Code, _ message: String) -> DeliveryOutcome {
    .refused(message, reply: Array(JSONRPCError(code, message).object.utf8))
  }
}
