import EventLoop

/// A certificate and its key, PEM files.
public struct TLSIdentity: Sendable, Hashable {
  /// The certificate, and behind it those that lead to its CA.
  public var certificateFile: String
  /// Without a pass phrase.
  public var keyFile: String

  /// What the properties say; reads nothing yet.
  public init(certificateFile: String, keyFile: String) {
    self.certificateFile = certificateFile
    self.keyFile = keyFile
  }
}

/// How a server speaks TLS: 1.3 or 1.2, HTTP/2 by ALPN, without renegotiation, compression and resumption.
public struct TLSServerConfiguration: Sendable, Hashable {
  /// What clients are shown.
  public var identity: TLSIdentity
  /// Mutual TLS: a client has to show a certificate that one of the CAs in this PEM file has signed. Nil asks for none.
  public var clientCAFile: String?
  /// Names of the clients that are let in: DNS names or URIs of their certificates. Empty for all that `clientCAFile` vouches
  /// for.
  public var allowedPeers: [String] = []

  /// What the properties say; reads nothing yet.
  public init(identity: TLSIdentity, clientCAFile: String? = nil, allowedPeers: [String] = []) {
    self.identity = identity
    self.clientCAFile = clientCAFile
    self.allowedPeers = allowedPeers
  }
}

/// What a server's connections take their TLS from. The files can be read again while it serves.
public final class TLSServerContext: Sendable {
  /// The files, and who is let in.
  public let configuration: TLSServerConfiguration
  private let context: Lock<TLSContext>

  /// Reads the files.
  /// - Throws: which file can't be used, why, and what to do.
  public init(_ configuration: TLSServerConfiguration) throws(TLSError) {
    self.configuration = configuration
    context = Lock(try TLSServerContext.load(configuration))
  }

  /// Reads the files again. New connections get what is in them; those that are there keep what they have.
  /// - Throws: as `init`; what was read before stays in use then.
  public func reload() throws(TLSError) {
    let new = try TLSServerContext.load(configuration)
    context.withLock { $0 = new }
  }

  /// When the certificate that is in use ends, in seconds of Unix time.
  public var certificateExpiry: Int64? { current.expiry }

  var current: TLSContext { context.withLock { $0 } }

  private static func load(_ configuration: TLSServerConfiguration) throws(TLSError) -> TLSContext {
    guard configuration.allowedPeers.isEmpty || configuration.clientCAFile != nil else {
      throw TLSError(
        "TLS peers \(configuration.allowedPeers.joined(separator: ", "))",
        "clients show no certificate to have a name from",
        remedy: "name the CA of the clients' certificates as well")
    }
    return try TLSContext(
      .server, identity: configuration.identity, trust: configuration.clientCAFile,
      allowedPeers: PeerNames(configuration.allowedPeers))
  }
}
