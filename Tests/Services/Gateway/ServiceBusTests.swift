import EventLoop
import HTTP
import Messages
import ServiceKit
import Synchronization
import Testing

@testable import Gateway

/// A service bus that a test scripts: answers by path and method name, and what it was asked.
final class ScriptedBus: Sendable {
  private let seen = Lock<[HTTPRequest]>([])
  var requests: [HTTPRequest] { seen.withLock { $0 } }
  private let answer: @Sendable (HTTPRequest, String) -> HTTPResponse

  /// - Parameter answer: gets the request and the name of its JSON-RPC method, "token" for the OAuth server.
  init(_ answer: @escaping @Sendable (HTTPRequest, String) -> HTTPResponse) { self.answer = answer }

  func handle(_ request: HTTPRequest) -> HTTPResponse {
    seen.withLock { $0.append(request) }
    if request.target == "/oauth/token" { return answer(request, "token") }
    let method = (try? JSONDocument(parsing: request.body))?.root["method"]?.string ?? "?"
    return answer(request, method.split(separator: ".").last.map(String.init) ?? "?")
  }

  /// What came, in order: the last part of each method's name.
  var calls: [String] {
    requests.map { request in
      if request.target == "/oauth/token" { return "token" }
      let method = (try? JSONDocument(parsing: request.body))?.root["method"]?.string ?? "?"
      return "\(method.split(separator: ".").last ?? "?") \(request.target)"
    }
  }

  func run<R>(oauth: Bool = false, secret: String? = "s3cret", _ body: (ServiceBus) async throws -> R) async throws -> R
  {
    let server = try HTTPServer(
      listeningOn: HTTPAddress(host: "127.0.0.1", port: 0), setting: "OMS", handler: { self.handle($0) })
    let url = "http://\(server.address)"
    var oms = OMSConnection(
      url: url, callbackURL: "http://127.0.0.1:8080/service-bus",
      signing: secret.map { SigningSecrets(Secret($0)) })
    if oauth { oms.oauth = .init(serverURL: url, id: "shop", secret: SharedSecret(Secret("pässword"))) }
    let http = HTTPClient()
    let tokens = oms.oauth.map { OAuthTokens(client: $0, http: http) }
    let secrets = [oms.signing?.current.secret, oms.oauth?.secret.current]
    let bus = BusClient(url: url, tokens: tokens, http: http) { secrets }
    do {
      let result = try await body(ServiceBus(oms, bus: bus))
      await server.shutdown(grace: .seconds(5))
      return result
    } catch {
      await server.shutdown(grace: .zero)
      throw error
    }
  }
}

extension ServiceBus {
  /// As at the start.
  fileprivate func register() async throws(RegistrationFailure) {
    _ = try await register(
      RegistrationContent(topics: ["magento.inventory.aggregate_stock_management.updated"]), .plain)
  }
}

@Suite struct ServiceBusTests {
  private static let ok = HTTPResponse.json(#"{"jsonrpc":"2.0","id":1,"result":[],"error":""}"#)

  @Test("registers with id, callback, secret, subscriptions and version, and without a token when there is no client")
  func register() async throws {
    let bus = ScriptedBus { _, _ in Self.ok }
    try await bus.run { try await $0.register() }
    let request = try #require(bus.requests.first)
    #expect(request.target == "/remote/oms" && request.method == "POST")
    #expect(request.headers["Authorization"] == nil && request.headers["Content-Type"] == "application/json")
    let message = try JSONDocument(parsing: request.body).root
    #expect(message["jsonrpc"]?.string == "2.0")
    #expect(message["method"]?.string == "magento.service_bus.remote.register")
    let params = try #require(message["params"])
    #expect(params["id"]?.string == "connector" && params["secret"]?.string == "s3cret")
    #expect(params["url"]?.string == "http://127.0.0.1:8080/service-bus")
    #expect(params["subscribes"]?.text == #"["magento.inventory.aggregate_stock_management.updated"]"#)
    #expect(params["contracts"] == nil)
    #expect(params["labels"]?["version"]?.string == Version.current)
    #expect(params["labels"]?["capabilities"]?.string == "inventory")
  }

  @Test("without a secret an empty one is sent: the stand-ins take no registration that leaves it out")
  func noSecret() async throws {
    let bus = ScriptedBus { _, _ in Self.ok }
    try await bus.run(secret: nil) { try await $0.register() }
    let request = try #require(bus.requests.first)
    #expect(try JSONDocument(parsing: request.body).root["params"]?["secret"]?.string == "")
  }

  @Test("with a client it gets a token first: HTTP 201 and no expires_in will do")
  func token() async throws {
    let bus = ScriptedBus { _, call in
      call == "token" ? .json(status: 201, #"{"access_token":"t1"}"#) : Self.ok
    }
    try await bus.run(oauth: true) { bus in
      try await bus.register()
      try await bus.unregister()
    }
    #expect(bus.calls == ["token", "register /remote/oms", "unregister /remote/oms"])
    let requests = bus.requests
    #expect(
      String(decoding: requests[0].body, as: UTF8.self)
        == "grant_type=client_credentials&client_id=shop&client_secret=p%C3%A4ssword")
    #expect(
      requests[1].headers["Authorization"] == "Bearer t1" && requests[2].headers["Authorization"] == "Bearer t1")
  }

  @Test("a token that is refused is replaced once")
  func renewedToken() async throws {
    let tokens = Atomic(0)
    let bus = ScriptedBus { request, call in
      if call == "token" { return .json(#"{"access_token":"t\#(tokens.add(1, ordering: .relaxed).newValue)"}"#) }
      return request.headers["Authorization"] == "Bearer t2" ? Self.ok : HTTPResponse(status: 401)
    }
    try await bus.run(oauth: true) { try await $0.register() }
    #expect(bus.calls == ["token", "register /remote/oms", "token", "register /remote/oms"])
  }

  @Test("a client that the bus never accepts is an error that names its settings")
  func refusedClient() async throws {
    let bus = ScriptedBus { _, call in call == "token" ? .json(#"{"access_token":"t"}"#) : HTTPResponse(status: 401) }
    let error = await #expect(throws: RegistrationFailure.self) {
      try await bus.run(oauth: true) { try await $0.register() }
    }
    #expect(error?.reason == .unauthorized && error?.isLost == false)
    #expect(error?.reason.description.contains("OMS_OAUTH_CLIENT_ID") == true)
    #expect(bus.calls.count == 4)
  }

  @Test("no token", arguments: [HTTPResponse(status: 401), .json("{}"), .json(#"{"access_token":""}"#), .json("x")])
  func noToken(answer: HTTPResponse) async throws {
    let bus = ScriptedBus { _, _ in answer }
    let error = await #expect(throws: RegistrationFailure.self) {
      try await bus.run(oauth: true) { try await $0.register() }
    }
    guard case .noToken(let reason) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains("/oauth/token answers") && bus.calls == ["token"])
  }

  @Test("a bus that has the id already is told to forget it, then registers again")
  func duplicate() async throws {
    let isKnown = Lock(true)
    let bus = ScriptedBus { _, call in
      switch call {
      case "unregister":
        isKnown.withLock { $0 = false }
        return Self.ok
      default: return isKnown.withLock { $0 } ? .json(#"{"error":"Duplicate entry 'connector'"}"#) : Self.ok
      }
    }
    try await bus.run { try await $0.register() }
    #expect(bus.calls == ["register /remote/oms", "unregister /remote/oms", "register /remote/oms"])
  }

  @Test("when it then does not take it, the registration is lost")
  func lost() async throws {
    let bus = ScriptedBus { _, call in call == "unregister" ? Self.ok : .json(#"{"error":"already there"}"#) }
    let error = await #expect(throws: RegistrationFailure.self) { try await bus.run { try await $0.register() } }
    #expect(error?.isLost == true)
  }

  @Test("a bus without that path is asked at its root", arguments: [404, 405])
  func otherLayout(status: Int) async throws {
    let bus = ScriptedBus { request, _ in request.target == "/" ? Self.ok : HTTPResponse(status: status) }
    try await bus.run { try await $0.register() }
    #expect(bus.calls == ["register /remote/oms", "register /"])
  }

  @Test("errors that quote what was sent don't show secrets")
  func secrets() async throws {
    let bus = ScriptedBus { request, _ in .json(status: 400, #"{"error":"bad secret s3cret of pässword"}"#) }
    let error = await #expect(throws: RegistrationFailure.self) { try await bus.run { try await $0.register() } }
    let text = "\(String(describing: error?.reason))"
    #expect(text.contains("bad secret ••••") && !text.contains("s3cret"))
  }

  @Test("nobody there is an error that names the URL")
  func unreachable() async {
    let oms = OMSConnection(url: "http://127.0.0.1:1", callbackURL: "http://127.0.0.1:2/service-bus")
    let error = await #expect(throws: ServiceBusError.self) {
      try await ServiceBus(oms, bus: BusClient(url: oms.url, tokens: nil, http: HTTPClient())).unregister()
    }
    #expect(error == .unreachable("http://127.0.0.1:1/remote/oms: nobody answers at this address"))
  }

  @Test("taking back what is not there is done")
  func unregisterTwice() async throws {
    let bus = ScriptedBus { _, _ in .json(#"{"error":{"code":-32000,"message":"no endpoint 'connector'"}}"#) }
    try await bus.run { try await $0.unregister() }
  }
}
