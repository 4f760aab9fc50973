/// How a server behaves; the defaults are for production.
public struct ServerOptions: Sendable {
  /// Largest message accepted, in bytes; a larger one ends its call with RESOURCE_EXHAUSTED.
  public var messageLimit = 4 << 20
  /// Calls at once on one connection; the peer is told (RFC 9113 §5.1.2) and more are refused.
  public var concurrentStreamLimit: UInt32 = 1000
  /// Connections at once; more are closed as soon as they are accepted.
  public var connectionLimit = 16_384
  /// Names and values of a request's headers together, in bytes, each field counted with 32 more (RFC 9113 §6.5.2).
  public var headerListLimit = 16 << 10
  /// Told of every call that ends.
  public var observer: (any CallObserver)?

  public init(observer: (any CallObserver)? = nil) { self.observer = observer }
}

/// Told of every call that ends, on the call's loop: has to be quick and must not block.
public protocol CallObserver: Sendable {
  /// - Parameters:
  ///   - path: `/service/method`; methods that are not known here are not reported.
  ///   - durationNanoseconds: from the request's headers to the status.
  func callEnded(path: String, code: StatusCode, durationNanoseconds: UInt64)

  /// A handler threw something whose cause the client does not get to see; for the log.
  func callFailed(path: String, error: RPCError)
}

extension CallObserver {
  public func callFailed(path: String, error: RPCError) {}
}
