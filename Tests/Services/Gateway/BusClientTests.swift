import EventLoop
import HTTP
import ServiceKit
import Testing

@testable import Gateway

/// An OAuth server and a bus that take one token at a time: the last one that was given.
private final class GuardedBus: Sendable {
  struct State {
    var fetches = 0
    var posts = 0
    var forms: [String] = []
    var tokenAnswer: (@Sendable (Int) -> HTTPResponse)?
    /// nil: the last one given.
    var busAnswer: (@Sendable (HTTPRequest) -> HTTPResponse)?
    var isRevoked = false
  }
  let state = Lock(State())
  let time = InventedTime()
  let secret = SharedSecret(Secret("x"))

  func handle(_ request: HTTPRequest) -> HTTPResponse {
    state.withLock { state in
      guard request.target == "/oauth/token" else {
        state.posts += 1
        if let answer = state.busAnswer { return answer(request) }
        let isGood = !state.isRevoked && request.headers["Authorization"] == "Bearer t\(state.fetches)"
        return isGood ? .json("{}") : HTTPResponse(status: 401)
      }
      state.fetches += 1
      state.forms.append(String(decoding: request.body, as: UTF8.self))
      state.isRevoked = false
      return state.tokenAnswer?(state.fetches) ?? .json(status: 201, #"{"access_token":"t\#(state.fetches)"}"#)
    }
  }

  func run<R>(_ body: (BusClient, OAuthTokens) async throws -> R) async throws -> R {
    let server = try HTTPServer(
      listeningOn: HTTPAddress(host: "127.0.0.1", port: 0), setting: "OMS", handler: { self.handle($0) })
    let url = "http://\(server.address)"
    let (http, time) = (HTTPClient(), time)
    let tokens = OAuthTokens(
      client: .init(serverURL: url, id: "shop", secret: secret), http: http, now: { time.instant })
    do {
      let result = try await body(BusClient(url: url, tokens: tokens, http: http), tokens)
      await server.shutdown(grace: .seconds(5))
      return result
    } catch {
      await server.shutdown(grace: .zero)
      throw error
    }
  }

  var counts: [Int] { state.withLock { [$0.fetches, $0.posts] } }
}

private func answer(_ number: Int, _ expiresIn: String) -> HTTPResponse {
  .json(#"{"access_token":"t\#(number)","expires_in":\#(expiresIn)}"#)
}

@Suite("the way to the bus, and its tokens")
struct BusClientTests {
  @Test("many who need a token at once share one fetch, and the token is kept")
  func shared() async throws {
    let bus = GuardedBus()
    try await bus.run { (client: BusClient, _) async throws -> Void in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<20 { group.addTask { try await client.post(path: "/x", body: []).status } }
        for try await status in group { #expect(status == 200) }
      }
      #expect(try await client.post(path: "/x", body: []).status == 200)
    }
    #expect(bus.counts == [1, 21])
  }

  @Test("a token that the bus has ended is replaced, and the message sent once more")
  func replaced() async throws {
    let bus = GuardedBus()
    try await bus.run { (client: BusClient, _) async throws -> Void in
      #expect(try await client.post(path: "/x", body: []).status == 200)
      bus.state.withLock { $0.isRevoked = true }
      #expect(try await client.post(path: "/x", body: []).status == 200)
    }
    #expect(bus.counts == [2, 3])
  }

  @Test("a missing right, which is 401 here, does not fetch a token for each call; later another is tried")
  func missingRight() async throws {
    let bus = GuardedBus()
    bus.state.withLock { $0.busAnswer = { _ in HTTPResponse(status: 401) } }
    try await bus.run { (client: BusClient, _) async throws -> Void in
      for _ in 0..<50 { #expect(try await client.post(path: "/x", body: []).status == 401) }
      #expect(bus.counts[0] == 1 + OAuthTokens.maxReplacements)
      bus.time.advance(by: OAuthTokens.replacementPeriod)
      _ = try await client.post(path: "/x", body: [])
      #expect(bus.counts[0] == 2 + OAuthTokens.maxReplacements)
    }
  }

  @Test(
    "a token is replaced before it ends, whether the server says so with a number or a text",
    arguments: [("600", 540), (#""600""#, 540), ("20", 18), ("3600.0", 3540)])
  func expires(said: String, renewal: Int) async throws {
    let bus = GuardedBus()
    bus.state.withLock { $0.tokenAnswer = { answer($0, said) } }
    try await bus.run { (_, tokens: OAuthTokens) async throws -> Void in
      #expect(try await tokens.token() == "t1")
      bus.time.advance(by: .seconds(renewal) - .milliseconds(1))
      #expect(try await tokens.token() == "t1")
      bus.time.advance(by: .milliseconds(1))
      #expect(try await tokens.token() == "t2")
    }
  }

  @Test(
    "without a usable expires_in a token is good until the bus refuses it",
    arguments: ["null", "0", "-5", #""soon""#, "{}", "true", #""nan""#])
  func unsaid(said: String) async throws {
    let bus = GuardedBus()
    bus.state.withLock { $0.tokenAnswer = { answer($0, said) } }
    try await bus.run { (_, tokens: OAuthTokens) async throws -> Void in
      #expect(try await tokens.token() == "t1")
      bus.time.advance(by: .seconds(1_000_000))
      #expect(try await tokens.token() == "t1")
    }
  }

  @Test("while the OAuth server is down the token is used until it ends, and the server asked now and then")
  func serverDown() async throws {
    let bus = GuardedBus()
    bus.state.withLock { $0.tokenAnswer = { $0 == 1 ? answer(1, "600") : HTTPResponse(status: 503) } }
    try await bus.run { (_, tokens: OAuthTokens) async throws -> Void in
      #expect(try await tokens.token() == "t1")
      bus.time.advance(by: .seconds(550))
      for _ in 0..<10 { #expect(try await tokens.token() == "t1") }
      #expect(bus.counts[0] == 2)
      bus.time.advance(by: OAuthTokens.renewalPause)
      #expect(try await tokens.token() == "t1")
      #expect(bus.counts[0] == 3)
      bus.time.advance(by: .seconds(50))
      _ = await #expect(throws: ServiceBusError.self) { try await tokens.token() }
    }
  }

  @Test("a client's secret that has changed goes with the next fetch; the token stays until the bus refuses it")
  func rotatedSecret() async throws {
    let bus = GuardedBus()
    try await bus.run { (client: BusClient, _) async throws -> Void in
      #expect(try await client.post(path: "/x", body: []).status == 200)
      #expect(bus.secret.replace(with: Secret("y")) && !bus.secret.replace(with: Secret("y")))
      #expect(try await client.post(path: "/x", body: []).status == 200)
      bus.state.withLock { $0.isRevoked = true }
      #expect(try await client.post(path: "/x", body: []).status == 200)
    }
    let forms = bus.state.withLock { $0.forms }
    #expect(forms.map { $0.hasSuffix("client_secret=x") } == [true, false])
    #expect(forms.last?.hasSuffix("client_secret=y") == true)
  }

  @Test("a redirection is followed by nothing, least of all by the token, and names the place without its query")
  func redirected() async throws {
    let bus = GuardedBus()
    bus.state.withLock {
      $0.busAnswer = { _ in HTTPResponse(status: 307, headers: ["Location": "https://other.example/x?secret=1"]) }
    }
    try await bus.run { (client: BusClient, _) async throws -> Void in
      let error = await #expect(throws: ServiceBusError.self) { try await client.post(path: "/x", body: []) }
      guard case .redirected(307, let reason) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(reason == "\(client.url)/x answers 307 and sends to https://other.example/x")
    }
    #expect(bus.counts == [1, 1])
  }

  @Test("an OAuth server that sends elsewhere is named with the place")
  func redirectedToken() async throws {
    let bus = GuardedBus()
    bus.state.withLock {
      $0.tokenAnswer = { _ in HTTPResponse(status: 302, headers: ["Location": "https://login.example/"]) }
    }
    try await bus.run { (client: BusClient, _) async throws -> Void in
      let error = await #expect(throws: ServiceBusError.self) { try await client.post(path: "/x", body: []) }
      let text = "\(String(describing: error))"
      #expect(text.contains("sends to https://login.example/") && text.contains("OMS_OAUTH_SERVER_URL"))
    }
  }
}
