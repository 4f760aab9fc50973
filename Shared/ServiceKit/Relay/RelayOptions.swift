/// The limits and times of an ``OutboxRelay``.
public struct RelayOptions: Sendable {
  /// Rows in the memory.
  public var maximumRows = 1_024
  /// Bytes of bodies in the memory, from which on no more are read.
  public var maximumBytes = 8 << 20
  /// Calls under way; of one key it is one.
  public var maximumCalls = 32
  /// How often to look for rows that nobody told of: those that other replicas add.
  public var interval = Duration.milliseconds(500)
  /// For one call. What takes longer is asked again, as the gateway knows what it has.
  public var callTimeout = Duration.seconds(10)
  /// The first pause after a failure.
  public var firstPause = Duration.milliseconds(100)
  /// The longest one.
  public var longestPause = Duration.seconds(5)
  /// How long one replica may relay before it has to renew that; another takes over so much after it was killed, and an interval:
  /// within five seconds.
  public var lease = Duration.seconds(4)
  /// For calls that are under way when the service stops.
  public var grace = Duration.seconds(1)

  /// The defaults, which are for production.
  public init() {}
}
