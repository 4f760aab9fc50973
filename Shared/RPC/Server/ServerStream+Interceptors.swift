import EventLoop

// Who looks at the call from outside the handler.
extension ServerStream {
  /// - Returns: why the call is refused; nil when it is not.
  func startInterceptors() -> RPCError? {
    let interceptors = interceptors
    guard !interceptors.isEmpty else { return nil }
    let context = ServerContext(stream: self)
    for interceptor in interceptors {
      do throws(RPCError) {
        try interceptor.callStarted(context)
      } catch {
        return error
      }
      startedInterceptors += 1
    }
    return nil
  }

  /// Tells those that have seen the call begin, the last one first. Once: each end of a call comes by here once only, and
  /// a second time would find nobody.
  func endInterceptors(_ error: RPCError?) {
    guard startedInterceptors > 0 else { return }
    let interceptors = interceptors
    let now = EventLoop.monotonicNanoseconds()
    let summary = CallSummary(
      context: ServerContext(stream: self), error: error,
      durationNanoseconds: now > startedAt ? now - startedAt : 0, messages: messageCounts)
    while startedInterceptors > 0 {
      startedInterceptors -= 1
      interceptors[startedInterceptors].callEnded(summary)
    }
  }

  private var interceptors: [any MethodInterceptor] { method?.interceptors ?? server.unknownMethodInterceptors }
}
