/// When a connection on which nothing comes in is asked whether it still lives.
/// Source: gRPC's `doc/keepalive.md` and gRFC A8.
public struct Keepalive: Sendable {
  /// How long nothing may come in before a PING is sent.
  public var time: Duration
  /// How long its acknowledgement may take before the connection counts as broken.
  public var timeout: Duration

  /// What the properties say.
  public init(time: Duration, timeout: Duration) {
    self.time = time
    self.timeout = timeout
  }
}
