/// Who is at the other end of a server's connection.
public struct Peer: Sendable, Equatable, CustomStringConvertible {
  /// How it reached us, with what that way tells about it.
  public enum Kind: Sendable, Equatable {
    /// A process on this machine, as the system knew it when it connected.
    case unix(uid: UInt32, gid: UInt32, pid: Int32)
    /// Numeric host and port.
    case tcp(Address)
  }

  /// How it reached us.
  public let kind: Kind
  /// Names of a verified client certificate, DNS names and URIs; empty when there is none.
  public let identity: [String]
  /// Whether the peer is known: a process of ours on the Unix socket, or the holder of a certificate (mutual TLS).
  public let isTrusted: Bool

  /// - Parameter hasCertificate: whether a certificate was verified, with or without names.
  package init(kind: Kind, identity: [String] = [], hasCertificate: Bool = false) {
    self.kind = kind
    self.identity = identity
    switch kind {
    case .unix: isTrusted = true
    case .tcp: isTrusted = hasCertificate
    }
  }

  /// For logs.
  public var description: String {
    switch kind {
    case .unix(let uid, let gid, let pid): "unix:uid=\(uid),gid=\(gid),pid=\(pid)"
    case .tcp(let address): identity.first.map { "\(address) (\($0))" } ?? "\(address)"
    }
  }
}

/// One copy of it for all calls of a connection.
final class PeerReference: Sendable {
  let peer: Peer
  init(_ peer: Peer) { self.peer = peer }
}
