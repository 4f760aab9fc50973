import EventLoop
import HTTP
import Messages

/// The access token of an OAuth2 client (client credentials, RFC 6749 §4.4). It is fetched when it is needed: at first, a
/// little before it ends where the server has said when, and when the bus has refused it. All who need one at the same time
/// share one fetch. Source: messages.md §1, "Token".
actor OAuthTokens {
  /// A token that ends is replaced that long before, or in the last tenth of its life if that is shorter.
  static let longestMargin = Duration.seconds(60)
  /// Fetches for tokens that the bus refused, within ``replacementPeriod``. A client that lacks a right gets 401 with every
  /// token: without a limit each of its calls would fetch one.
  static let maxReplacements = 5
  static let replacementPeriod = Duration.seconds(60)
  /// Between two attempts to replace a token that is still good.
  static let renewalPause = Duration.seconds(5)
  /// What a server may say without being taken for confused; longer ones are asked for again then.
  static let longestLife = Duration.seconds(30 * 24 * 3600)

  private struct Token {
    let text: String
    /// When it is to be replaced and when it is worthless; nil when the server has not said.
    let life: (renewal: ContinuousClock.Instant, end: ContinuousClock.Instant)?
  }

  /// Tokens that are remembered, so as to keep them out of texts: an answer may come late.
  static let rememberedTokens = 4
  private nonisolated let remembered = Lock<[String]>([])

  private let client: OMSConnection.OAuthClient
  private let http: HTTPClient
  private let now: @Sendable () -> ContinuousClock.Instant
  private var token: Token?
  private var fetching: (task: Task<Result<Token, ServiceBusError>, Never>, waiting: Int)?
  private var renewalFailedAt: ContinuousClock.Instant?
  private var replacements: [ContinuousClock.Instant] = []

  /// - Parameter now: a clock that never goes back.
  init(
    client: OMSConnection.OAuthClient, http: HTTPClient,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.client = client
    self.http = http
    self.now = now
  }

  /// The last tokens, good or not.
  nonisolated var issued: [String] { remembered.withLock { $0 } }

  /// A token to send.
  ///
  /// - Throws: `noToken` with the reason.
  func token() async throws(ServiceBusError) -> String {
    let time = now()
    guard let token else { return try await fetched().text }
    guard let life = token.life, time >= life.renewal else { return token.text }
    if let renewalFailedAt, time < life.end, time - renewalFailedAt < Self.renewalPause { return token.text }
    do throws(ServiceBusError) {
      return try await fetched().text
    } catch {
      // The server may be back before the token ends.
      guard time < life.end else { throw error }
      renewalFailedAt = time
      return token.text
    }
  }

  /// Another token than one that the bus has refused: the one that somebody else has fetched meanwhile, or a new one.
  ///
  /// - Returns: nil when there were so many lately that another one would not help.
  /// - Throws: `noToken` with the reason.
  func token(insteadOf rejected: String) async throws(ServiceBusError) -> String? {
    if let token, token.text != rejected { return token.text }
    if fetching == nil {
      let time = now()
      replacements.removeAll { time - $0 >= Self.replacementPeriod }
      guard replacements.count < Self.maxReplacements else { return nil }
      replacements.append(time)
      token = nil
    }
    return try await fetched().text
  }

  /// The result of the fetch that is under way, or of a new one. It ends when the last one who waits for it is cancelled.
  private func fetched() async throws(ServiceBusError) -> Token {
    let task: Task<Result<Token, ServiceBusError>, Never>
    if let fetching {
      task = fetching.task
    } else {
      let request = request()
      let (http, begin) = (http, now())
      task = Task { await Self.fetch(request, http, begin: begin) }
    }
    fetching = (task, (fetching?.waiting ?? 0) + 1)
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      Task { await self.giveUp(task) }
    }
    if fetching?.task == task {
      fetching = nil
      if case .success(let new) = result {
        token = new
        renewalFailedAt = nil
        remembered.withLock { $0 = $0.filter { $0 != new.text }.suffix(Self.rememberedTokens - 1) + [new.text] }
      }
    }
    return try result.get()
  }

  private func giveUp(_ task: Task<Result<Token, ServiceBusError>, Never>) {
    guard let fetching, fetching.task == task else { return }
    self.fetching?.waiting -= 1
    guard fetching.waiting == 1 else { return }
    task.cancel()
    // Who comes now begins another one.
    self.fetching = nil
  }

  private func request() -> HTTPRequest {
    let fields = [
      ("grant_type", "client_credentials"), ("client_id", client.id),
      ("client_secret", client.secret.current.reveal()),
    ]
    return HTTPRequest(
      method: "POST", target: client.serverURL + "/oauth/token",
      headers: ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"],
      body: FormURLEncoding.encode(fields))
  }

  /// - Parameter begin: the life of a token counts from before it was asked for.
  private static func fetch(
    _ request: HTTPRequest, _ http: HTTPClient, begin: ContinuousClock.Instant
  ) async -> Result<Token, ServiceBusError> {
    let response: HTTPResponse
    do {
      response = try await http.send(request)
    } catch {
      return .failure(.noToken("\(error)"))
    }
    // One stand-in answers 201.
    guard (200..<300).contains(response.status) else {
      return .failure(.noToken("\(request.target) answers \(response.status)\(remedy(response))"))
    }
    // What the answer holds is a secret: it is not quoted.
    let answer = try? JSONDocument(parsing: response.body).root
    guard let answer, let text = answer["access_token"]?.string, !text.isEmpty else {
      return .failure(.noToken("\(request.target) answers without an access_token"))
    }
    guard let life = TokenLife.read(answer["expires_in"]) else { return .success(Token(text: text, life: nil)) }
    let margin = min(longestMargin, life / 10)
    return .success(
      Token(text: text, life: (renewal: begin.advanced(by: life - margin), end: begin.advanced(by: life))))
  }

  private static func remedy(_ response: HTTPResponse) -> String {
    if let place = Redirection.target(of: response) { return " and sends to \(place): check OMS_OAUTH_SERVER_URL" }
    guard [400, 401, 403].contains(response.status) else { return "" }
    return ": check OMS_OAUTH_CLIENT_ID and OMS_OAUTH_CLIENT_SECRET"
  }
}

/// `expires_in` of a token's answer (RFC 6749 §5.1), in seconds.
enum TokenLife {
  /// - Parameter value: a number or, as some servers have it, a string of one.
  /// - Returns: nil when nothing usable is said, 0 and less included: the token is good until the bus refuses it then.
  static func read(_ value: JSONValue?) -> Duration? {
    guard let seconds = value?.scalar.flatMap({ Double($0) }), seconds > 0 else { return nil }
    return min(.seconds(min(seconds, 1e9)), OAuthTokens.longestLife)
  }
}
