import HTTP
import Messages
import ServiceKit

/// What a Magento shop lets the connector in with: an integration's tokens (magento-rest.md §1; magento-rules.md §4: an
/// administrator's token fails where two-factor login is on, which is the default since 2.4).
public enum CommerceCredentials: Sendable {
  /// The integration's access token. Since 2.4.4 the shop has to allow it: Stores → Configuration → Services → OAuth → "Allow OAuth
  /// Access Tokens to be used as standalone Bearer tokens".
  case bearer(Secret)
  /// Requests signed as OAuth 1.0a has it (RFC 5849), with HMAC-SHA256.
  case oauth1(OAuth1)

  public struct OAuth1: Sendable {
    var consumerKey: String
    var consumerSecret: Secret
    var token: Secret
    var tokenSecret: Secret

    public init(consumerKey: String, consumerSecret: Secret, token: Secret, tokenSecret: Secret) {
      self.consumerKey = consumerKey
      self.consumerSecret = consumerSecret
      self.token = token
      self.tokenSecret = tokenSecret
    }
  }

  /// The Authorization header of one request.
  ///
  /// - Parameters:
  ///   - url: without the query.
  ///   - query: not yet percent-encoded.
  ///   - nonce: never used before.
  ///   - timestamp: seconds since 1970.
  func authorization(
    method: String, url: String, query: [(name: String, value: String)], nonce: String, timestamp: Int64
  ) -> String {
    switch self {
    case .bearer(let token): "Bearer \(token.reveal())"
    case .oauth1(let oauth): oauth.authorization(method, url, query, nonce, timestamp)
    }
  }

  /// What must not appear in any text.
  var secrets: [Secret] {
    switch self {
    case .bearer(let token): [token]
    case .oauth1(let oauth): [oauth.consumerSecret, oauth.token, oauth.tokenSecret]
    }
  }
}

extension CommerceCredentials.OAuth1 {
  /// RFC 5849 §3.4 and §3.5.1. The body is JSON, which is not signed.
  fileprivate func authorization(
    _ method: String, _ url: String, _ query: [(name: String, value: String)], _ nonce: String, _ timestamp: Int64
  ) -> String {
    let protocolParameters = [
      ("oauth_consumer_key", consumerKey), ("oauth_nonce", nonce), ("oauth_signature_method", "HMAC-SHA256"),
      ("oauth_timestamp", "\(timestamp)"), ("oauth_token", token.reveal()), ("oauth_version", "1.0"),
    ]
    // §3.4.1.3.2: encoded first, then sorted by name and value.
    let parameters = (protocolParameters + query.map { ($0.name, $0.value) })
      .map { (PercentEncoding.encode($0.0), PercentEncoding.encode($0.1)) }
      .sorted { $0 < $1 }
      .map { "\($0)=\($1)" }.joined(separator: "&")
    let base = [method, url, parameters].map(PercentEncoding.encode).joined(separator: "&")
    let key = [consumerSecret.reveal(), tokenSecret.reveal()].map(PercentEncoding.encode).joined(separator: "&")
    var signature: [UInt8] = []
    HMAC.sha256(key: Array(key.utf8), message: Array(base.utf8)).withUnsafeBufferPointer {
      Base64.append($0, to: &signature)
    }
    let all = protocolParameters + [("oauth_signature", String(decoding: signature, as: UTF8.self))]
    return "OAuth "
      + all.map { "\(PercentEncoding.encode($0.0))=\"\(PercentEncoding.encode($0.1))\"" }.joined(separator: ", ")
  }
}
