/// A call that did not end with OK. Handlers throw it, callers catch it.
public struct RPCError: Error, Sendable, CustomStringConvertible {
  public var code: StatusCode
  /// What is wrong, with which value, and what to do. The peer gets to read it.
  public var message: String
  /// Trailing metadata that goes to, or came from, the peer with the status.
  public var metadata: Metadata
  /// What led to it. For logs; never sent.
  public var cause: (any Error)?

  public init(_ code: StatusCode, _ message: String, metadata: Metadata = [:], cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.metadata = metadata
    self.cause = cause
  }

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
