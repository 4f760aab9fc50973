import Glibc
import RPC

/// TLS on TCP addresses; Unix sockets, whose peers the system vouches for, stay plain.
public enum TLSSettings {
  static let certificateFile = Setting.file(
    "TLS_CERTIFICATE_FILE", "PEM file of its certificate, with those that lead to the CA: TCP addresses speak TLS then"
  ).optional
  static let keyFile = Setting.file("TLS_KEY_FILE", "PEM file of the certificate's key, without a pass phrase").optional
  static let clientCAFile = Setting.file(
    "TLS_CLIENT_CA_FILE", "PEM file of CAs: clients on TCP have to show a certificate of theirs (mutual TLS)"
  ).optional
  static let allowedPeers = Setting.names(
    "TLS_ALLOWED_PEERS", "names of client certificates that are let in; all of TLS_CLIENT_CA_FILE when not set"
  ).optional
  static let caFile = Setting.file(
    "TLS_CA_FILE",
    "PEM file of CAs, or \(systemCAs) for the usual ones: services on TCP are called over TLS, with the own certificate"
  ).optional

  /// The value of TLS_CA_FILE that names no file.
  static let systemCAs = "system"

  static let all: [any DeclaredSetting] = [certificateFile, keyFile, clientCAFile, allowedPeers, caFile]
}

/// What the TLS settings come to: the files, read.
public struct TLSSetup: Sendable {
  /// For TCP addresses that are listened on; nil: plain text.
  public let server: TLSServerContext?
  /// For TCP addresses that are called; nil: plain text.
  public let client: TLSClientContext?

  /// - Throws: settings that do not go together, files that can't be used.
  init(_ configuration: Configuration) throws(ConfigurationError) {
    let identity = try Self.identity(configuration)
    let clientCA = configuration[TLSSettings.clientCAFile]
    let allowedPeers = configuration[TLSSettings.allowedPeers] ?? []
    if clientCA != nil, identity == nil {
      throw Self.problem(
        "TLS_CLIENT_CA_FILE is set without TLS_CERTIFICATE_FILE; mutual TLS needs a certificate of its own")
    }
    if !allowedPeers.isEmpty, clientCA == nil {
      throw Self.problem(
        "TLS_ALLOWED_PEERS is set without TLS_CLIENT_CA_FILE; name the CA that signs the peers' certificates")
    }
    do {
      server = try identity.map { identity throws(TLSError) in
        try TLSServerContext(
          TLSServerConfiguration(identity: identity, clientCAFile: clientCA, allowedPeers: allowedPeers))
      }
      client = try configuration[TLSSettings.caFile].map { file throws(TLSError) in
        try TLSClientContext(
          TLSClientConfiguration(caFile: file == TLSSettings.systemCAs ? nil : file, identity: identity))
      }
    } catch {
      throw Self.problem("\(error)")
    }
  }

  private static func identity(_ configuration: Configuration) throws(ConfigurationError) -> TLSIdentity? {
    switch (configuration[TLSSettings.certificateFile], configuration[TLSSettings.keyFile]) {
    case (let certificate?, let key?): return TLSIdentity(certificateFile: certificate, keyFile: key)
    case (nil, nil): return nil
    case (_?, nil): throw problem("TLS_CERTIFICATE_FILE is set without TLS_KEY_FILE; set both or none")
    case (nil, _?): throw problem("TLS_KEY_FILE is set without TLS_CERTIFICATE_FILE; set both or none")
    }
  }

  private static func problem(_ text: String) -> ConfigurationError { ConfigurationError(problems: [text]) }

  /// To ask the own process how it is: whose certificate is for its name, not for the address that it is asked at. Nil for
  /// plain text.
  static func probe(_ configuration: Configuration) throws -> TLSClientContext? {
    try identity(configuration).map { identity in try TLSClientContext(unverifiedWith: identity) }
  }

  /// Reads the files again, for new connections.
  func reload() throws {
    try server?.reload()
    try client?.reload()
    warnOfExpiry()
  }

  /// Says in the log that the certificate has to be renewed. It stays in use: on the Unix socket, and for clients that do not
  /// look, the service is better than none.
  func warnOfExpiry() {
    guard let server, let expiry = server.certificateExpiry else { return }
    guard let warning = Self.warning(expiry: expiry, now: Int64(time(nil))) else { return }
    Log.warning("\(warning)", ["file": "\(server.configuration.identity.certificateFile)"])
  }

  private static let secondsPerDay: Int64 = 86_400
  private static let daysOfWarning: Int64 = 14

  /// - Parameters: seconds of Unix time.
  /// - Returns: nil while there is nothing to do.
  static func warning(expiry: Int64, now: Int64) -> String? {
    let left = expiry - now
    if left <= 0 { return "the TLS certificate has expired, and clients refuse it: renew it, then send SIGHUP" }
    guard left < daysOfWarning * secondsPerDay else { return nil }
    return "the TLS certificate ends within \(left / secondsPerDay + 1) days: renew it, then send SIGHUP"
  }
}
