import HTTP
import ServiceKit

/// Whether a message comes from the OMS that knows the secret of the registration.
///
/// `X-Signature: sha1=<hex>` is the HMAC-SHA1 of the raw body bytes. Source: messages.md §1, "Inbound signature".
struct CallbackSignature: Sendable {
  static let field = "X-Signature"

  /// nil when messages are not checked.
  private let secrets: SigningSecrets?

  /// - Parameter secret: nil accepts every message.
  init(requiring secret: Secret?) { secrets = secret.map { SigningSecrets($0) } }

  /// - Parameter secrets: one of these signs; nil accepts every message.
  init(requiringOneOf secrets: SigningSecrets?) { self.secrets = secrets }

  /// - Returns: why the message is not accepted, nil when it is.
  func refusal(_ request: HTTPRequest) -> String? {
    guard let secrets else { return nil }
    guard let given = request.headers[Self.field] else {
      return "\(Self.field) is missing: send sha1=<HMAC-SHA1 of the body with the secret given at registration>"
    }
    // Only the hexadecimal digits may differ in case.
    let signature = Array(given.lowercased().utf8)
    let isGood = secrets.keys.contains { key in
      HMAC.equalInConstantTime(signature, Array(("sha1=" + HMAC.sha1Hex(key: key, message: request.body)).utf8))
    }
    guard isGood else {
      return "\(Self.field) does not fit the body: sign the bytes that are sent, with the secret given at registration"
    }
    return nil
  }
}
