import HTTP
import ServiceKit

/// Whether a message comes from the OMS that knows the secret of the registration.
///
/// `X-Signature: sha1=<hex>` is the HMAC-SHA1 of the raw body bytes. Source: messages.md §1, "Inbound signature".
struct CallbackSignature: Sendable {
  static let field = "X-Signature"

  /// Why a message is not accepted.
  struct Refusal: Equatable {
    let reason: String
    /// The same message may be accepted in a moment.
    var mayPass = false
  }

  /// nil when messages are not checked.
  private let secrets: SigningSecrets?
  private let registers: Bool

  /// - Parameter secret: nil accepts every message.
  init(requiring secret: Secret?) { self.init(requiringOneOf: secret.map { SigningSecrets($0) }) }

  /// - Parameters:
  ///   - secrets: one of these signs; nil accepts every message.
  ///   - registers: there is an OMS that gets one of them, sooner or later.
  init(requiringOneOf secrets: SigningSecrets?, registers: Bool = false) {
    self.secrets = secrets
    self.registers = registers
  }

  /// - Returns: nil when the message is accepted.
  func refusal(_ request: HTTPRequest) -> Refusal? {
    guard let secrets else { return nil }
    guard let given = request.headers[Self.field] else {
      return Refusal(
        reason: "\(Self.field) is missing: send sha1=<HMAC-SHA1 of the body with the secret given at registration>")
    }
    // Only the hexadecimal digits may differ in case.
    let signature = Array(given.lowercased().utf8)
    let isGood = secrets.keys.contains { key in
      HMAC.equalInConstantTime(signature, Array(("sha1=" + key.hexDigest(of: request.body)).utf8))
    }
    guard isGood else {
      if registers && !secrets.isSettled {
        // To a bus that signs with the secret of before, 401 would be final, and the message lost.
        return Refusal(
          reason: "\(Self.field) does not fit the body; the connector is about to register its secret: send it again",
          mayPass: true)
      }
      return Refusal(
        reason: "\(Self.field) does not fit the body: sign the bytes that are sent, with the secret given at "
          + "registration")
    }
    return nil
  }
}
