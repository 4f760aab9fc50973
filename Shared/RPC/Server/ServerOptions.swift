/// How a server behaves; the defaults are for production.
public struct ServerOptions: Sendable {
  /// Largest message accepted, in bytes; a larger one ends its call with RESOURCE_EXHAUSTED.
  public var messageLimit = 4 << 20
  /// Calls at once on one connection; the peer is told (RFC 9113 §5.1.2) and more are refused.
  public var concurrentStreamLimit: UInt32 = 1000
  /// Connections at once, and at most three quarters of the descriptors that the process may open (`ulimit -n`); more are
  /// closed as soon as they are accepted. One in sixteen is for peers on the Unix socket.
  public var connectionLimit = 16_384
  /// Names and values of a request's headers together, in bytes, each field counted with 32 more (RFC 9113 §6.5.2).
  public var headerListLimit = 16 << 10
  /// Bytes of requests that are there in part, and of responses that the client has not taken, on one connection; calls
  /// beyond end with RESOURCE_EXHAUSTED.
  public var connectionBufferLimit = 64 << 20
  /// How long a client may take until its preface and SETTINGS are there, TLS included.
  public var handshakeTimeout = Duration.seconds(10)
  /// When a client from which nothing comes is asked whether it still lives.
  public var keepalive = Keepalive(time: .seconds(120), timeout: .seconds(20))
  /// PINGs that come sooner after one another are too many, unless something was sent in between; the third of them ends
  /// the connection (gRFC A8).
  public var shortestPingInterval = Duration.seconds(10)
  /// How long a connection may last, ± 10 %, before its client is asked to make a new one, which may then reach another
  /// replica; nil for ever (gRFC A9).
  public var connectionAge: Duration?
  /// How long calls may go on then; nil for as long as they take.
  public var connectionAgeGrace: Duration?
  /// When responses are compressed, to clients that accept gzip; nil for never.
  public var compression: Compression?
  /// Look at the calls, and may refuse them, in this order.
  public var interceptors: [any ServerInterceptor] = []

  /// Told of connections that are refused: who, and why. Not the peer's user, no good certificate, too many connections. On
  /// the connections' loops, so it has to be quick.
  public var connectionRefused: (@Sendable (_ peer: Peer, _ reason: String) -> Void)?

  /// The defaults, with these interceptors.
  public init(interceptors: [any ServerInterceptor] = []) { self.interceptors = interceptors }
}
