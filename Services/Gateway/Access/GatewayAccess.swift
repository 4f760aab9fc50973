import RPC
import ServiceKit

/// Who may call the gateway over TCP. Its Unix socket needs nothing: the system says who is there.
enum GatewayAccess: Equatable {
  /// Nobody can: it listens on no TCP address.
  case none
  /// Who has a token of this file.
  case tokens(file: String)
  /// Who has a certificate: mutual TLS.
  case certificates
  /// Everybody. The addresses are those that are not the machine's own.
  case everybody(exposed: [String])

  init(_ setup: ServiceSetup) throws(ConfigurationError) {
    try self.init(
      tokensFile: setup.configuration[GatewaySettings.tokensFile],
      isInsecure: setup.configuration[GatewaySettings.insecure],
      requiresCertificates: setup.tls.server?.configuration.clientCAFile != nil,
      addresses: setup.addresses.map(\.address))
    warn(hasTLS: setup.tls.server != nil, setup.addresses.map(\.address))
  }

  init(
    tokensFile: String?, isInsecure: Bool, requiresCertificates: Bool, addresses: [Address]
  ) throws(ConfigurationError) {
    let tcp = addresses.filter { if case .tcp = $0 { true } else { false } }
    switch (tokensFile, isInsecure) {
    case (_?, true):
      throw Self.problem("GATEWAY_TOKENS_FILE and GATEWAY_INSECURE are both set; unset the one that is not meant")
    case (let file?, false): self = .tokens(file: file)
    case (nil, _) where tcp.isEmpty: self = .none
    case (nil, true): self = .everybody(exposed: tcp.filter { !$0.isLoopback }.map(\.description))
    case (nil, false) where requiresCertificates: self = .certificates
    case (nil, false):
      throw Self.problem(
        "nothing says who may call \(tcp.map(\.description).joined(separator: ", ")): set GATEWAY_TOKENS_FILE to a file of "
          + "bearer tokens, one a line (e.g. from openssl rand -hex 32), or TLS_CLIENT_CA_FILE for clients with certificates, "
          + "or GATEWAY_INSECURE=1 to let everybody call who reaches the address")
    }
  }

  private static func problem(_ text: String) -> ConfigurationError { ConfigurationError(problems: [text]) }

  /// What looks at every call; nil when nothing has to.
  func authentication() throws(ConfigurationError) -> BearerAuthentication? {
    guard case .tokens(let file) = self else { return nil }
    return try BearerAuthentication(file: file)
  }

  /// Says why a request of the shop's webhooks is not let in. They come over plain HTTP with a header that they are set up with.
  func webhookRefusal(
    _ authentication: BearerAuthentication?
  ) -> @Sendable (_ authorization: String?) -> String? {
    if case .everybody = self { return { _ in nil } }
    guard let authentication else {
      return { _ in "webhooks need a token: set GATEWAY_TOKENS_FILE, and have them send Authorization: Bearer TOKEN" }
    }
    return { header in
      do throws(RPCError) {
        _ = try authentication.owner(of: header)
        return nil
      } catch {
        return error.message
      }
    }
  }

  private func warn(hasTLS: Bool, _ addresses: [Address]) {
    switch self {
    case .everybody(let exposed) where !exposed.isEmpty:
      Log.warning(
        "GATEWAY_INSECURE: everybody who reaches the machine may call; set GATEWAY_TOKENS_FILE instead",
        ["addresses": .list(exposed)])
    case .tokens where !hasTLS:
      let exposed = addresses.filter { !$0.isLoopback }.map(\.description)
      guard !exposed.isEmpty else { return }
      Log.warning(
        "tokens travel in plain text; set TLS_CERTIFICATE_FILE and TLS_KEY_FILE", ["addresses": .list(exposed)])
    default: break
    }
  }
}
