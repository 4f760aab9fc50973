/// How one call is made.
public struct CallOptions: Sendable {
  /// How long the call may take in all, retries included; nil for as long as it takes.
  public var timeout: Duration?
  /// Goes with the request.
  public var metadata = Metadata()
  /// Wait for a connection when none can be had at once, rather than failing with UNAVAILABLE.
  public var waitForReady = false
  /// When request messages are compressed; nil for never. The server has to know gzip: one that does not ends the call with
  /// UNIMPLEMENTED. Compressed responses are always read.
  public var compression: Compression?
  /// The call that this one is a part of. Beside the metadata, so that calls with the same metadata share what it is
  /// encoded as.
  private(set) var trace: TraceContext?
  /// Set by who passes a call's messages on as they are.
  var passing: Passing?

  /// How long to wait for a connection where no address can be reached. Whoever calls through us can't know that a service has just
  /// come back: so long as ``Subchannel`` pauses between two attempts to connect, and a bit. At most half of the call's time:
  /// who gets UNAVAILABLE knows more than who has run out of time.
  var patience: Duration { passing == nil ? .zero : min(.seconds(3), (timeout ?? .seconds(6)) / 2) }

  /// The encodings of the call that is passed on.
  struct Passing: Sendable {
    let encoding: MessageEncoding
    let acceptsGzip: Bool
  }

  /// - Parameter trace: the call that this one is a part of; goes with the request as `traceparent` and `tracestate`, in
  ///   the place of those in `metadata`.
  public init(
    timeout: Duration? = nil, metadata: Metadata = [:], waitForReady: Bool = false, compression: Compression? = nil,
    trace: TraceContext? = nil
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.waitForReady = waitForReady
    self.trace = trace
    if trace != nil {
      self.metadata.removeAll(named: "traceparent")
      self.metadata.removeAll(named: "tracestate")
    }
    self.compression = compression
  }
}

/// How a channel behaves.
public struct ChannelOptions: Sendable {
  /// Largest message accepted, in bytes.
  public var messageLimit = 4 << 20
  /// How calls that fail are made again.
  public var retry = RetryPolicy()
  /// Which of a target's addresses gets a call.
  public var balancing = Balancing.roundRobin
  /// When a replica that fails is left alone. With `roundRobin` only.
  public var outliers = OutlierPolicy()
  /// Whether replicas that say NOT_SERVING are left alone while others serve: each is asked for its health as soon as it is
  /// connected. With `roundRobin` only. Source: gRPC's proposal A17.
  public var watchesHealth = false
  /// When a server from which nothing comes is asked whether it still lives; only while calls are under way.
  public var keepalive = Keepalive(time: .seconds(20), timeout: .seconds(10))
  /// How TCP connections are secured; nil for plain text. Unix sockets, whose peers the system vouches for, are always plain.
  public var tls: TLSClientContext?
  /// What the certificate has to be for, unless `tls` says it; nil: what the target says.
  var certificateName: String?

  /// Look at the calls.
  public var interceptors: [any ClientInterceptor] = []

  /// The defaults, which are for production.
  public init() {}
}

/// Which of a target's addresses gets a call. Source: gRPC's `doc/load-balancing.md`.
public enum Balancing: Sendable, Hashable {
  /// A connection to each address; those that are ready get calls in turn.
  case roundRobin
  /// One connection at a time, to the first address that answers. For clients that call little: a connection to each
  /// replica would cost more than it spreads.
  case pickFirst
}
