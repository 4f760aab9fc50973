import RPC
import ServiceKit

/// What omsctl shows a gateway on TCP, and how it makes sure that it is the right one.
struct GatewayCredentials {
  /// Goes with every call; nil for none.
  let token: Secret?
  /// Nil for plain text.
  let tls: TLSClientContext?

  static let token = Setting.secret("OMSCTL_TOKEN", "the bearer token that goes with every call").optional
  static let caFile = Setting.file("OMSCTL_CA_FILE", "PEM file of CAs, or system: TCP is called over TLS then").optional
  static let certificateFile = Setting.file("OMSCTL_CERTIFICATE_FILE", "PEM file of a client certificate").optional
  static let keyFile = Setting.file("OMSCTL_KEY_FILE", "PEM file of its key").optional
  static let settings: [any DeclaredSetting] = [token, caFile, certificateFile, keyFile]

  /// The options that say the same as the settings, and go before them.
  static let options: Set<String> = ["token-file", "ca-file", "certificate-file", "key-file"]
  static let systemCAs = "system"

  init(options: [String: String], environment: Environment) throws(UsageError) {
    let configuration: Configuration
    do {
      configuration = try Configuration(Self.settings, environment: environment)
    } catch {
      throw UsageError("\(error)")
    }
    token = try Self.token(options["token-file"], configuration[Self.token])
    tls = try Self.tls(
      ca: options["ca-file"] ?? configuration[Self.caFile],
      certificate: options["certificate-file"] ?? configuration[Self.certificateFile],
      key: options["key-file"] ?? configuration[Self.keyFile])
  }

  private static func token(_ file: String?, _ setting: Secret?) throws(UsageError) -> Secret? {
    var token = setting
    if let file {
      do {
        token = Secret(try SecretFile.read(file))
      } catch {
        throw UsageError("--token-file: \(error)")
      }
    }
    guard let token else { return nil }
    guard token.reveal().utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }) else {
      throw UsageError("the token has blanks, colons or line breaks in it; give one token, without its name")
    }
    return token
  }

  private static func tls(ca: String?, certificate: String?, key: String?) throws(UsageError) -> TLSClientContext? {
    guard (certificate == nil) == (key == nil) else {
      throw UsageError("a client certificate needs both, --certificate-file and --key-file")
    }
    guard let ca else {
      guard certificate == nil else {
        throw UsageError(
          "--certificate-file is of use over TLS only; --ca-file says whom to trust (\(systemCAs): the usual)")
      }
      return nil
    }
    let identity = certificate.flatMap { certificate in
      key.map { TLSIdentity(certificateFile: certificate, keyFile: $0) }
    }
    do {
      return try TLSClientContext(TLSClientConfiguration(caFile: ca == systemCAs ? nil : ca, identity: identity))
    } catch {
      throw UsageError("\(error)")
    }
  }

  var metadata: Metadata {
    var metadata = Metadata()
    if let token { metadata.append("authorization", "Bearer \(token.reveal())") }
    return metadata
  }
}
