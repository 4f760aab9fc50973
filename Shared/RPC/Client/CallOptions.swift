/// How one call is made.
public struct CallOptions: Sendable {
  /// How long the call may take in all, retries included; nil for as long as it takes.
  public var timeout: Duration?
  /// Goes with the request.
  public var metadata = Metadata()
  /// Wait for a connection when none can be had at once, rather than failing with UNAVAILABLE.
  public var waitForReady = false

  public init(timeout: Duration? = nil, metadata: Metadata = [:], waitForReady: Bool = false) {
    self.timeout = timeout
    self.metadata = metadata
    self.waitForReady = waitForReady
  }
}

/// How a channel behaves.
public struct ChannelOptions: Sendable {
  /// Largest message accepted, in bytes.
  public var messageLimit = 4 << 20
  /// How often a call is made in all when its method allows that and a replica fails.
  public var attemptLimit = 5

  public init() {}
}
