/// How a channel's TCP connections speak TLS.
struct ChannelTLS: Sendable {
  private let context: TLSClientContext
  /// What the certificate has to be for; nil: the host of the address.
  private let serverName: String?

  /// Nil for a channel without TLS.
  init?(_ options: ChannelOptions, target: Target) {
    guard let context = options.tls else { return nil }
    self.context = context
    if let name = context.configuration.serverName ?? options.certificateName {
      serverName = name
    } else if case .dns(let host, _) = target {
      // The resolver's addresses are numeric; certificates are for the name.
      serverName = host
    } else {
      serverName = nil
    }
  }

  /// Nil for a Unix socket.
  func session(to address: Address, descriptor: Int32) -> TLSSession? {
    guard case .tcp(let host, _) = address else { return nil }
    return TLSSession(context.current, descriptor: descriptor, serverName: serverName ?? host)
  }

  /// `:authority` (RFC 9110 §7.2): the name that the certificate is for, so that both ends mean the same.
  func authority(of address: Address) -> String {
    guard case .tcp(_, let port) = address, let serverName else { return address.description }
    return Address.tcp(host: serverName, port: port).description
  }
}
