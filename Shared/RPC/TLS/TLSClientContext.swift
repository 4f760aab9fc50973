import EventLoop

/// How a client speaks TLS: 1.3 or 1.2, HTTP/2 by ALPN; the server's certificate is always checked.
public struct TLSClientConfiguration: Sendable, Hashable {
  /// PEM file of the CAs whose servers are trusted; nil for the system's.
  public var caFile: String?
  /// What to show a server that asks for a certificate.
  public var identity: TLSIdentity?
  /// The name that the server's certificate must have; nil for the host that is connected to.
  public var serverName: String?

  /// What the properties say; reads nothing yet.
  public init(caFile: String? = nil, identity: TLSIdentity? = nil, serverName: String? = nil) {
    self.caFile = caFile
    self.identity = identity
    self.serverName = serverName
  }
}

/// What a channel's connections take their TLS from. The files can be read again while it is in use.
public final class TLSClientContext: Sendable {
  /// The files, and what has to be in the certificates.
  public let configuration: TLSClientConfiguration
  private let context: Lock<TLSContext>
  private let verifies: Bool

  /// Reads the files.
  /// - Throws: which file can't be used, why, and what to do.
  public init(_ configuration: TLSClientConfiguration = TLSClientConfiguration()) throws(TLSError) {
    self.configuration = configuration
    verifies = true
    context = Lock(try TLSClientContext.load(configuration, verifies: true))
  }

  /// For a process that asks itself how it is: whatever certificate the server shows is taken.
  package init(unverifiedWith identity: TLSIdentity?) throws(TLSError) {
    configuration = TLSClientConfiguration(identity: identity)
    verifies = false
    context = Lock(try TLSClientContext.load(configuration, verifies: false))
  }

  /// Reads the files again, for connections to come.
  /// - Throws: as `init`; what was read before stays in use then.
  public func reload() throws(TLSError) {
    let new = try TLSClientContext.load(configuration, verifies: verifies)
    context.withLock { $0 = new }
  }

  var current: TLSContext { context.withLock { $0 } }

  private static func load(
    _ configuration: TLSClientConfiguration, verifies: Bool
  ) throws(TLSError) -> TLSContext {
    try TLSContext(
      .client, identity: configuration.identity, trust: configuration.caFile, allowedPeers: PeerNames([]),
      verifiesPeer: verifies)
  }
}
