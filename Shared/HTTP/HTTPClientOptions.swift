/// The limits of an HTTP client.
public struct HTTPClientOptions: Sendable {
  /// From `send` to the last byte of the response.
  public var timeout: Duration = .seconds(30)
  /// Name resolution, TCP and TLS.
  public var connectTimeout: Duration = .seconds(5)
  /// Header fields and body of a response together; a larger one fails the request.
  public var maxResponseBytes = 4 << 20
  /// Requests on the wire at one time; more wait for their turn.
  public var maxConcurrentRequests = 64
  /// Requests that wait; one more fails at once.
  public var maxWaitingRequests = 1024
  /// Sent as `User-Agent`.
  public var userAgent = "oms-connector"

  public init() {}
}

/// Why a request got no response. The description names the URL, without any password in it, and the cause.
public struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What a caller can act on.
  public enum Kind: Sendable, Equatable {
    /// The URL or a header field cannot be sent.
    case invalidRequest
    /// No connection: the name is unknown, nobody listens, TLS failed.
    case unreachable
    case timedOut
    case responseTooLarge
    /// The connection broke, or what came is no HTTP.
    case broken
    /// Too many requests wait already.
    case overloaded
  }
  public let kind: Kind
  /// Without user, password and query, which may hold secrets.
  public let url: String
  /// What happened, in words.
  public let reason: String

  init(_ kind: Kind, url: String, _ reason: String) {
    self.kind = kind
    self.url = Self.withoutSecrets(url)
    self.reason = reason
  }

  public var description: String { "\(url): \(reason)" }

  private static func withoutSecrets(_ url: String) -> String {
    let plain = url.prefix { $0 != "?" && $0 != "#" }
    var parts = plain.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    // "http:", "", "user:password@host:port", "path"
    if parts.count > 2, let at = parts[2].lastIndex(of: "@") { parts[2] = parts[2][at...].dropFirst() }
    return parts.joined(separator: "/")
  }
}
