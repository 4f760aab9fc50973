import HTTP
import Messages
import ServiceKit

/// The way to the service bus of the OMS: POSTs below OMS_URL over one set of connections, with one token for all. Whoever
/// sends anything to the bus shares one of these.
///
///     let response = try await bus.post(path: "/delegate/oms", body: envelope)
///     if let failure = ServiceBusReply(response).failure { … }
final class BusClient: Sendable {
  /// OMS_URL, without a slash at its end.
  let url: String
  private let tokens: OAuthTokens?
  private let http: HTTPClient
  private let secrets: @Sendable () -> [Secret?]

  /// - Parameters:
  ///   - tokens: nil sends no token.
  ///   - secrets: what is taken out of the texts that ``withoutSecrets(_:)`` gets.
  init(url: String, tokens: OAuthTokens?, http: HTTPClient, secrets: @escaping @Sendable () -> [Secret?] = { [] }) {
    self.url = url
    self.tokens = tokens
    self.http = http
    self.secrets = secrets
  }

  /// POSTs JSON. A token that the bus does not take (401) is replaced and the body sent once more; a 401 to that is
  /// answered as it is, because it is also what the bus says to a client that lacks a right. ``OAuthTokens`` bounds how often
  /// tokens are replaced.
  ///
  /// - Parameters:
  ///   - path: below OMS_URL, with a slash at its beginning.
  ///   - body: JSON text.
  ///   - headers: besides Content-Type, Accept and Authorization.
  ///   - isSentOnce: see `HTTPRequest`; but for a token that the bus does not take.
  ///   - timeout: from here to the last byte of each answer; nil takes the HTTP client's.
  /// - Returns: the answer, whatever its status, other than a redirection; ``ServiceBusReply`` reads it.
  /// - Throws: `unreachable` without an answer, the cancellation of the task included; `noToken`; `redirected` for every
  ///   3xx that names a place: a token must not go where nobody has sent it, and a POST that is repeated elsewhere is none
  ///   that the OMS has answered for.
  func post(
    path: String, body: [UInt8], headers: HTTPHeaders = [:], isSentOnce: Bool = false, timeout: Duration? = nil
  ) async throws(ServiceBusError) -> HTTPResponse {
    guard let tokens else { return try await send(path, body, headers, isSentOnce, timeout, token: nil) }
    let token = try await tokens.token()
    let response = try await send(path, body, headers, isSentOnce, timeout, token: token)
    guard response.status == 401, let other = try await tokens.token(insteadOf: token) else { return response }
    return try await send(path, body, headers, isSentOnce, timeout, token: other)
  }

  /// `text` without the secrets that this gateway sends, its tokens among them: a bus may send back what it was sent, and that ends
  /// in logs and answers.
  func withoutSecrets(_ text: String) -> String {
    KnownSecrets(secrets().compactMap { $0?.reveal() } + (tokens?.issued ?? [])).removed(from: text)
  }

  private func send(
    _ path: String, _ body: [UInt8], _ headers: HTTPHeaders, _ isSentOnce: Bool, _ timeout: Duration?,
    token: String?
  ) async throws(ServiceBusError) -> HTTPResponse {
    var headers = headers
    headers["Content-Type"] = "application/json"
    headers["Accept"] = "application/json"
    if let token { headers["Authorization"] = "Bearer \(token)" }
    var request = HTTPRequest(method: "POST", target: url + path, headers: headers, body: body)
    request.isSentOnce = isSentOnce
    let response: HTTPResponse
    do {
      response = try await http.send(request, timeout: timeout)
    } catch {
      throw .unreachable(withoutSecrets("\(error)"))
    }
    if let place = Redirection.target(of: response) {
      throw .redirected(
        status: response.status,
        "\(url)\(path) answers \(response.status) and sends to \(withoutSecrets(place))")
    }
    return response
  }
}

/// Where an answer sends its reader.
enum Redirection {
  /// - Returns: nil when the answer is no redirection. Without query, which may hold secrets, and on one line.
  static func target(of response: HTTPResponse) -> String? {
    guard (300..<400).contains(response.status), let place = response.headers["Location"], !place.isEmpty else {
      return nil
    }
    let plain = place.unicodeScalars.prefix(200).prefix { $0 != "?" && $0 != "#" }
    return String(String.UnicodeScalarView(plain.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
  }
}
