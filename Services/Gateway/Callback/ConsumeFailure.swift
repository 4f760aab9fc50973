import RPC

/// What a service's failure to consume a message means for its sender.
struct ConsumeFailure: Equatable {
  let code: JSONRPCError.Code
  let message: String
  /// The same message may be consumed when it is sent again: HTTP answers 503.
  let mayPass: Bool

  init(_ error: any Error, service: ConnectorService) {
    guard let error = error as? RPCError else {
      self.init(.handlerFailed, "\(service) could not consume the message; the gateway's log has the reason", false)
      return
    }
    switch error.code {
    // Where the service is, is for the log.
    case .unavailable where error.cause is NoConnection:
      self.init(.handlerFailed, "\(service) can't be reached now: send the message again later", true)
    case .invalidArgument: self.init(.invalidParams, error.message, false)
    case .unimplemented: self.init(.methodNotFound, "\(service) does not consume this method", false)
    case .unavailable, .deadlineExceeded, .resourceExhausted, .aborted, .cancelled:
      self.init(.handlerFailed, "\(service): \(error.message)", true)
    default: self.init(.handlerFailed, "\(service): \(error.message)", false)
    }
  }

  private init(_ code: JSONRPCError.Code, _ message: String, _ mayPass: Bool) {
    self.code = code
    self.message = message
    self.mayPass = mayPass
  }
}
