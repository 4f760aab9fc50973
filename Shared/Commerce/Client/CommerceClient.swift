import Glibc
import HTTP
import Messages
import ServiceKit

/// The REST API of a Magento shop: signs requests, holds to a rate, reads what the shop answers and says what went wrong. Reads are
/// tried again when that may help; a write is sent once, because a time-out can come after success (magento-rules.md §4):
/// whoever writes reads back before writing again.
///
///     let page: Magento.Commerce.V1.OrderPage = try await shop.get("V1/orders", criteria.query)
public final class CommerceClient: Sendable {
  public struct Options: Sendable {
    /// From sending to the last byte of the answer.
    public var timeout: Duration = .seconds(60)
    /// Requests that the shop works on at a time.
    public var concurrency = 8
    /// Requests a second; nil for no limit.
    public var rate: Int?
    /// Tries of a read.
    public var readTries = 4
    /// Before a read is tried again; twice as long each time.
    public var firstPause: Duration = .milliseconds(500)
    /// The longest that a read waits because the shop says so.
    public var longestPause: Duration = .seconds(60)
    /// The largest answer: a page of 300 products with their attributes is some megabytes.
    public var maxResponseBytes = 64 << 20

    public init() {}
  }

  /// COMMERCE_URL without a slash at its end: `https://shop.example`.
  public let url: String
  private let credentials: CommerceCredentials
  private let options: Options
  private let http: HTTPClient
  private let pace: RequestPace?

  public init(url: String, credentials: CommerceCredentials, options: Options = Options()) {
    self.url = url.hasSuffix("/") ? String(url.dropLast()) : url
    self.credentials = credentials
    self.options = options
    var http = HTTPClientOptions()
    http.timeout = options.timeout
    http.maxConcurrentRequests = options.concurrency
    http.maxResponseBytes = options.maxResponseBytes
    self.http = HTTPClient(options: http)
    pace = options.rate.map { RequestPace(perSecond: $0) }
  }

  // MARK: Reading

  /// GET of a route whose answer is one message.
  ///
  /// - Parameters:
  ///   - route: below `/rest/STORE/`, as in `V1/orders/7`; its parts percent-encoded with ``path(_:)``.
  ///   - store: a store view's code, or `all` for the administrator's view.
  public func get<M: Message>(
    _ route: String, _ query: [(name: String, value: String)] = [], store: String = "all"
  ) async throws -> M {
    let answer = try await getJSON(route, query, store: store)
    return try read(answer.root, "GET \(route)")
  }

  /// GET of a route, as it was answered.
  ///
  /// - Parameters:
  ///   - limit: of tries; nil for as many as a read has.
  ///   - failed: told of each try that has failed.
  public func getJSON(
    _ route: String, _ query: [(name: String, value: String)] = [], store: String = "all", tries limit: Int? = nil,
    failed: ((CommerceError) -> Void)? = nil
  ) async throws -> JSONDocument {
    var pause = options.firstPause
    var tries = 1
    while true {
      do {
        return try await sendRead(route, query, store, failed)
      } catch let error as CommerceError where tries < limit ?? options.readTries && Self.isWorthReading(error) {
        tries += 1
        var wait = pause * Double.random(in: 0.75...1.25)
        if case .limited(let retryAfter?) = error.kind { wait = max(wait, min(retryAfter, options.longestPause)) }
        Log.debug("the shop is asked again", ["reason": LogValue(error)])
        try await Task.sleep(for: wait)
        pause = min(pause * 2, options.longestPause)
      }
    }
  }

  private func sendRead(
    _ route: String, _ query: [(name: String, value: String)], _ store: String, _ failed: ((CommerceError) -> Void)?
  ) async throws -> JSONDocument {
    do {
      return try await send("GET", route, query, body: [], store: store)
    } catch let error as CommerceError {
      failed?(error)
      throw error
    }
  }

  /// A right that is missing does not come by asking again.
  private static func isWorthReading(_ error: CommerceError) -> Bool { error.mayPass && error.kind != .unauthorized }

  // MARK: Writing

  /// A write whose answer is one message.
  public func send<M: Message>(
    _ method: String, _ route: String, _ body: some Message, store: String = "all"
  ) async throws -> M {
    let answer = try await sendJSON(method, route, body, store: store)
    return try read(answer.root, "\(method) \(route)")
  }

  /// A write, as it was answered.
  public func sendJSON(
    _ method: String, _ route: String, _ body: some Message, store: String = "all"
  ) async throws -> JSONDocument {
    try await send(method, route, [], body: Array(body.json().utf8), store: store)
  }

  /// A write whose body is the text of a JSON value that no message describes, such as one for another module's route.
  public func sendText(
    _ method: String, _ route: String, _ json: String, store: String = "all"
  ) async throws -> JSONDocument {
    try await send(method, route, [], body: Array(json.utf8), store: store)
  }

  /// A write without a body.
  public func sendEmpty(_ method: String, _ route: String, store: String = "all") async throws -> JSONDocument {
    try await send(method, route, [], body: [], store: store)
  }

  // MARK: -

  /// The parts of a route, percent-encoded: a SKU may hold a slash or a blank.
  public static func path(_ parts: String...) -> String { parts.map(PercentEncoding.encode).joined(separator: "/") }

  private func send(
    _ method: String, _ route: String, _ query: [(name: String, value: String)], body: [UInt8], store: String
  ) async throws -> JSONDocument {
    let name = "\(method) \(route)"
    try await pace?.turn()
    let target = "\(url)/rest/\(PercentEncoding.encode(store))/\(route)"
    var headers: HTTPHeaders = ["Accept": "application/json"]
    headers["Authorization"] = credentials.authorization(
      method: method, url: target, query: query, nonce: Self.nonce(), timestamp: Self.secondsSince1970())
    // Also without a body: libcurl would name a form's type, which the shop refuses.
    if method != "GET" { headers["Content-Type"] = "application/json" }
    let encoded = query.map { "\(PercentEncoding.encode($0.name))=\(PercentEncoding.encode($0.value))" }
    var request = HTTPRequest(
      method: method, target: encoded.isEmpty ? target : "\(target)?\(encoded.joined(separator: "&"))",
      headers: headers, body: body)
    request.isSentOnce = method != "GET"
    let response: HTTPResponse
    do {
      response = try await http.send(request)
    } catch let error as HTTPClientError {
      throw CommerceError(error, request: name)
    }
    guard (200..<300).contains(response.status) else {
      throw CommerceError(response, request: name, clean: withoutSecrets)
    }
    do throws(MessageError) {
      return try JSONDocument(parsing: response.body)
    } catch .tooManyFields {
      // As one of too many bytes: it may be well, and a smaller page of it can be read.
      throw CommerceError(.noAnswer, status: response.status, request: name, "the answer has too many values")
    } catch {
      throw CommerceError(.unreadable, status: response.status, request: name, "the answer is not JSON: \(error)")
    }
  }

  private func read<M: Message>(_ value: JSONValue, _ request: String) throws(CommerceError) -> M {
    do throws(MessageError) {
      return try M(json: value)
    } catch {
      throw CommerceError(.unreadable, status: 200, request: request, "the answer is not as expected: \(error)")
    }
  }

  private func withoutSecrets(_ text: String) -> String {
    KnownSecrets(credentials.secrets.map { $0.reveal() }).removed(from: text)
  }

  private static func nonce() -> String {
    (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 36) }.joined()
  }

  private static func secondsSince1970() -> Int64 { Int64(time(nil)) }
}
