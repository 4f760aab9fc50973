/// Looks at the calls of a server as they begin and as they end, and may refuse them: authentication, timing, metrics,
/// logs.
///
/// `ServerOptions.interceptors` run in their order when a call begins, and in the reverse one when it ends. What counts
/// or logs calls therefore stands before what refuses them.
///
/// See also: ``MethodInterceptor``, ``CallSummary``.
public protocol ServerInterceptor: Sendable {
  /// Asked once for every method, when the server is made, so that a call needs no look-up.
  /// - Parameter path: `/service/method`; empty for the calls of all methods that the server does not know, so that a
  ///   client that makes names up can't make anything grow.
  /// - Returns: nil when the method's calls are of no interest.
  func interceptor(forPath path: String) -> (any MethodInterceptor)?
}

/// A ``ServerInterceptor``'s part for one method. Called on the connections' loops, so that any number of threads may be
/// in it at once; has to be quick, and must not block.
public protocol MethodInterceptor: Sendable {
  /// The request's headers are there, the handler has not been called.
  /// - Throws: what ends the call, before the handler runs, and before the interceptors behind this one see it. This one is
  ///   not told of the end then.
  func callStarted(_ context: ServerContext) throws(RPCError)

  /// The call is over: exactly once for every call whose `callStarted` has returned.
  func callEnded(_ summary: CallSummary)
}

extension MethodInterceptor {
  /// Lets every call pass.
  public func callStarted(_ context: ServerContext) throws(RPCError) {}

  /// Takes no notice.
  public func callEnded(_ summary: CallSummary) {}
}
