import HTTP
import Messages

/// Why the shop did not do what it was asked. The description names the route, what the shop said, and what to do.
public struct CommerceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What a caller can act on.
  public enum Kind: Sendable, Equatable {
    /// Nothing was sent: the shop can't be reached.
    case unreachable
    /// Sent, and no whole answer: a time-out, a broken connection, more than is read. A write may have had its effect
    /// (magento-rules.md §4): read back before it is tried again.
    case noAnswer
    /// 401: the token, or a right that the integration lacks; magento-rules.md §4.
    case unauthorized
    case notFound
    /// Another 4xx: as the request stands, the shop refuses it. "Could not save" is among them, and may have had an effect
    /// beyond the shop.
    case refused
    /// 429, or 503 with a time to wait.
    case limited(retryAfter: Duration?)
    /// 5xx. A write may have had its effect.
    case failed
    /// 2xx with something that is not what the route answers.
    case unreadable
  }

  public let kind: Kind
  /// nil without an answer.
  public let status: Int?
  /// Method and route, without the query.
  public let request: String
  /// What the shop said, its placeholders filled in; or what happened.
  public let message: String

  public init(_ kind: Kind, status: Int? = nil, request: String, _ message: String) {
    self.kind = kind
    self.status = status
    self.request = request
    self.message = message
  }

  public var description: String {
    let advice: String =
      switch kind {
      case .unauthorized: "; check COMMERCE_TOKEN and the integration's rights in the shop"
      case .unreachable: "; check COMMERCE_URL"
      default: ""
      }
    return status.map { "\(request) answers \($0): \(message)\(advice)" } ?? "\(request): \(message)\(advice)"
  }

  /// Whether a write may have happened all the same.
  public var mayHaveHadEffect: Bool {
    switch kind {
    case .noAnswer, .failed, .unreadable: true
    case .unreachable, .unauthorized, .notFound, .refused, .limited: false
    }
  }

  /// Whether the same request may pass later.
  public var mayPass: Bool {
    switch kind {
    case .unreachable, .noAnswer, .limited, .failed, .unauthorized: true
    case .notFound, .refused, .unreadable: false
    }
  }

  /// Of an answer that is none of 2xx.
  init(_ response: HTTPResponse, request: String, clean: (String) -> String) {
    // Cleaned before it is cut: half a secret is none that could be found.
    let whole = clean(Self.message(in: response) ?? "HTTP status \(response.status)")
    let said = whole.count > Self.messageLimit ? whole.prefix(Self.messageLimit) + "…" : whole
    let retryAfter = response.headers["Retry-After"].flatMap { Int($0) }.map { Duration.seconds(min(max($0, 0), 3600)) }
    let kind: Kind =
      switch response.status {
      case 401: .unauthorized
      case 404: .notFound
      case 429: .limited(retryAfter: retryAfter)
      case 503 where retryAfter != nil: .limited(retryAfter: retryAfter)
      case 400..<500: .refused
      case 500...: .failed
      default: .unreadable
      }
    self.init(kind, status: response.status, request: request, said)
  }

  init(_ error: HTTPClientError, request: String) {
    let kind: Kind =
      switch error.kind {
      case .invalidRequest, .unreachable, .overloaded: .unreachable
      case .timedOut, .responseTooLarge, .broken: .noAnswer
      }
    self.init(kind, request: request, error.reason)
  }

  /// At most this many characters of what the shop says are kept.
  static let messageLimit = 1_000

  /// `{message, parameters}` with the placeholders filled in: `%1` from a list, `%fieldName` from an object.
  static func message(in response: HTTPResponse) -> String? {
    guard let body = try? JSONDocument(parsing: response.body).root, let message = body["message"]?.string else {
      return nil
    }
    var values: [String: String] = [:]
    for (index, value) in (body["parameters"]?.elements ?? []).enumerated() {
      values["\(index + 1)"] = value.scalar ?? value.text
    }
    for (name, value) in body["parameters"]?.members ?? [] { values[name] = value.scalar ?? value.text }
    // Validators write several lines.
    return filled(String(message.unicodeScalars.prefix(filledLimit)), values).split(whereSeparator: \.isNewline).joined(
      separator: " ")
  }

  /// Characters of a message and of each value that are looked at; far less is kept. A message may be as long as an answer, and
  /// nothing but placeholders.
  private static let filledLimit = 16 << 10
  /// Characters of a placeholder's name.
  private static let longestName = 64

  /// Once, from left to right: what a value holds is not filled in again.
  private static func filled(_ message: String, _ values: [String: String]) -> String {
    var output = ""
    var rest = message[...]
    while let percent = rest.firstIndex(of: "%"), output.utf8.count < filledLimit {
      output += rest[..<percent]
      rest = rest[percent...].dropFirst()
      let name = rest.prefix(longestName).prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      // %1st is the parameter 1.
      let known = (0...name.count).reversed().lazy.map { name.prefix($0) }.first { values[String($0)] != nil }
      if let known, let value = values[String(known)] {
        output += value.prefix(filledLimit)
        rest = rest.dropFirst(known.count)
      } else {
        output += "%"
      }
    }
    return output + rest.prefix(filledLimit)
  }
}
