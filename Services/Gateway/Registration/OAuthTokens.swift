import HTTP
import Messages

/// The access token of an OAuth2 client (client credentials, RFC 6749 §4.4), fetched when it is needed.
actor OAuthTokens {
  private let client: OMSConnection.OAuthClient
  private let http: HTTPClient
  private var token: String?

  init(client: OMSConnection.OAuthClient, http: HTTPClient) {
    self.client = client
    self.http = http
  }

  /// - Parameter rejected: the token that the bus did not take; another one is fetched then. Tokens come without an
  ///   expiry, so this is the only way to know. Source: messages.md §1, "Token".
  func token(insteadOf rejected: String? = nil) async throws(ServiceBusError) -> String {
    if let token, token != rejected { return token }
    token = nil
    let fetched = try await fetch()
    token = fetched
    return fetched
  }

  private func fetch() async throws(ServiceBusError) -> String {
    let fields = [
      ("grant_type", "client_credentials"), ("client_id", client.id), ("client_secret", client.secret.reveal()),
    ]
    let request = HTTPRequest(
      method: "POST", target: client.serverURL + "/oauth/token",
      headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
      body: FormURLEncoding.encode(fields))
    let response: HTTPResponse
    do {
      response = try await http.send(request)
    } catch {
      throw .noToken("\(error)")
    }
    // One stand-in answers 201.
    guard (200..<300).contains(response.status) else {
      let isRefused = [400, 401, 403].contains(response.status)
      let remedy = isRefused ? ": check OMS_OAUTH_CLIENT_ID and OMS_OAUTH_CLIENT_SECRET" : ""
      throw .noToken("\(request.target) answers \(response.status)\(remedy)")
    }
    // What the answer holds is a secret: it is not quoted.
    guard let token = (try? JSONDocument(parsing: response.body))?.root["access_token"]?.string, !token.isEmpty else {
      throw .noToken("\(request.target) answers without an access_token")
    }
    return token
  }
}

/// `application/x-www-form-urlencoded`, as the URL standard has it.
enum FormURLEncoding {
  static func encode(_ fields: [(name: String, value: String)]) -> [UInt8] {
    Array(fields.map { "\(escape($0.name))=\(escape($0.value))" }.joined(separator: "&").utf8)
  }

  private static func escape(_ text: String) -> String {
    var output = ""
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: output.unicodeScalars.append(Unicode.Scalar(byte))
      case _ where "-._*".utf8.contains(byte): output.unicodeScalars.append(Unicode.Scalar(byte))
      case 0x20: output += "+"
      default: output += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return output
  }
}
