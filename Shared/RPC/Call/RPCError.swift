/// A call that did not end with OK. Handlers throw it, callers catch it.
public struct RPCError: Error, Sendable, CustomStringConvertible {
  /// Never `ok`.
  public var code: StatusCode
  /// What is wrong, with which value, and what to do. The peer gets to read it.
  public var message: String
  /// The same for programs: which field, when to try again. Goes to, or came from, the peer in
  /// `grpc-status-details-bin`; the first 3 KiB of it.
  public var details: [ErrorDetail]
  /// Trailing metadata that goes to, or came from, the peer with the status.
  public var metadata: Metadata
  /// What led to it. For logs; never sent.
  public var cause: (any Error)?

  /// What the properties say.
  public init(
    _ code: StatusCode, _ message: String, details: [ErrorDetail] = [], metadata: Metadata = [:],
    cause: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.metadata = metadata
    self.cause = cause
  }

  /// What a peer's trailers say.
  init(received code: StatusCode, _ message: String, metadata: Metadata) {
    self.init(code, message, details: StatusDetails.decode(metadata, code: code), metadata: metadata)
  }

  /// Code and message; the cause is for whoever logs it.
  public var description: String { "\(code): \(message)" }

  /// The error that the peer gets for whatever a handler threw: an `RPCError` as it is; a cancellation as CANCELLED;
  /// anything else as INTERNAL without a word about its cause.
  init(thrown error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case is CancellationError: self = RPCError(.cancelled, "the call was cancelled")
    default: self = RPCError(.internalError, "the service failed; its log has the reason", cause: error)
    }
  }
}

extension RPCError {
  /// INVALID_ARGUMENT for one field of the request.
  /// - Parameters:
  ///   - field: path from the request, e.g. `snapshot.stock[3].sku`.
  ///   - message: what is wrong with it, with the value, and what to send instead.
  public static func invalid(field: String, _ message: String) -> RPCError {
    RPCError(.invalidArgument, message, details: [.badRequest([.init(field: field, description: message)])])
  }

  /// When the peer says that the call may be made again.
  public var retryDelay: Duration? {
    for case .retryInfo(let delay) in details { return delay }
    return nil
  }

  /// The wrong fields of the request.
  public var fieldViolations: [ErrorDetail.FieldViolation] {
    details.flatMap { detail -> [ErrorDetail.FieldViolation] in
      if case .badRequest(let violations) = detail { violations } else { [] }
    }
  }
}
