import EventLoop

/// A call, as its handler sees it beside the messages.
public struct ServerContext: Sendable {
  let stream: ServerStream

  /// `/service/method`.
  public var path: String { stream.path }

  /// Who calls.
  public var peer: Peer { stream.peer.peer }

  /// As whom the call was let in, by what it brought along: set by an interceptor; nil when none did.
  public var authenticatedName: String? { stream.authenticatedName }

  /// For interceptors, within `callStarted`, before anybody else gets to see the call.
  public func authenticated(as name: String) { stream.authenticatedName = name }

  /// What the client sent with the call.
  public var metadata: Metadata { stream.metadata }

  /// The call's place in its trace, for logs and for what the call does elsewhere. `traceparent` and `tracestate` are not
  /// part of ``metadata``: they belong to this hop.
  public var trace: TraceContext {
    // Set before anybody gets to see the call.
    stream.trace ?? .root()
  }

  /// For calls that are part of this one: what is left of the deadline, and the trace.
  public var callOptions: CallOptions { CallOptions(timeout: remainingTime, trace: trace) }

  /// The index in its group of the loop that the call is on.
  public var loopIndex: Int { stream.loop.index }

  /// When the client gives up, in nanoseconds of the monotonic clock; nil when it waits forever. The call then ends
  /// with DEADLINE_EXCEEDED and the handler's task is cancelled.
  public var deadline: UInt64? { stream.deadline }

  /// What is left until then; never negative.
  public var remainingTime: Duration? {
    stream.deadline.map { deadline in
      let now = EventLoop.monotonicNanoseconds()
      return .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0))
    }
  }

  /// Messages of the request that came compressed, of those that have been read so far.
  public var compressedRequestCount: Int { stream.compressedCount }

  /// Compresses the responses from now on, whatever their size, or none of them, whatever `ServerOptions.compression` says.
  /// Without an effect when the client does not accept gzip, or headers that don't announce it are sent already.
  public func compressResponses(_ isOn: Bool = true) {
    let stream = stream
    stream.loop.execute { stream.compressResponses(from: isOn ? 0 : .max) }
  }

  /// Metadata to send before the first message; without an effect once that is sent.
  public func setInitialMetadata(_ metadata: Metadata) {
    let stream = stream
    stream.loop.execute { stream.initialMetadata = metadata }
  }

  /// Metadata to send with the status of a call that succeeds; that of a failing one is in its `RPCError`.
  public func setTrailingMetadata(_ metadata: Metadata) {
    let stream = stream
    stream.loop.execute { stream.trailingMetadata = metadata }
  }
}
