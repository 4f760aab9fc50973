/// Looks at the calls of a channel: the counterpart of ``ServerInterceptor``.
///
/// `ChannelOptions.interceptors`, in order; ends come in the reverse one.
public protocol ClientInterceptor: Sendable {
  /// Asked once for every method and loop, at its first call.
  /// - Parameter path: `/service/method`; empty for all methods beyond the first thousand.
  /// - Returns: nil when the method's calls are of no interest.
  func interceptor(forPath path: String, target: Target) -> (any ClientMethodInterceptor)?
}

/// A ``ClientInterceptor``'s part for one method. Called on the loops of the channel's group; has to be quick, and must
/// not block.
///
/// A call has any number of attempts: none when no replica could be reached, several when it was made again.
public protocol ClientMethodInterceptor: Sendable {
  /// The request's headers are on their way.
  func attemptStarted(loopIndex: Int)
  /// Exactly once for every attempt that was started.
  func attemptEnded(_ summary: AttemptSummary)
  /// Exactly once for every call, behind its attempts.
  /// - Parameters:
  ///   - error: nil when it ended with OK.
  ///   - durationNanoseconds: from the caller's wish, waiting for a connection and pauses between attempts included.
  ///   - loopIndex: of the event loop that this is called on.
  func callEnded(_ error: RPCError?, durationNanoseconds: UInt64, loopIndex: Int)
}

/// How one attempt of a call ended.
public struct AttemptSummary: Sendable {
  /// nil when it ended with OK.
  public let error: RPCError?
  /// From the request's headers to the status.
  public let durationNanoseconds: UInt64
  /// What went over the wire beside headers.
  public let messages: MessageCounts
  /// Of the event loop that this is called on.
  public let loopIndex: Int

  /// The attempt's status.
  public var code: StatusCode { error?.code ?? .ok }
}
