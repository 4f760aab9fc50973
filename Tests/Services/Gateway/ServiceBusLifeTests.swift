import EventLoop
import HTTP
import Messages
import Testing

@testable import Gateway

private let topic = "magento.inventory.aggregate_stock_management.updated"
private let ok = HTTPResponse.json(#"{"jsonrpc":"2.0","id":1,"result":[],"error":""}"#)
private let unknownMethod = HTTPResponse.json(#"{"error":{"code":-32601,"message":"unknown method"}}"#)

private func endpoint(
  _ id: String = "connector", url: String = "http://127.0.0.1:8080/service-bus", topics: [String] = [topic],
  more: String = ""
) -> String {
  let topics = topics.map { JSONText.quoted($0) }.joined(separator: ",")
  return #"{"id":"\#(id)","peer_url":"\#(url)","subscribes":[\#(topics)]\#(more)}"#
}

private func list(_ endpoints: String...) -> HTTPResponse {
  .json(#"{"result":[\#(endpoints.joined(separator: ","))],"error":""}"#)
}

private final class Counter: Sendable {
  private let count: Lock<Int>
  init(startsAt count: Int = 0) { self.count = Lock(count) }

  var value: Int { count.withLock { $0 } }
  func reset() { count.withLock { $0 = 0 } }
  func next() -> Int {
    count.withLock { count in
      count += 1
      return count
    }
  }
}

/// What the service bus is told over the life of a registration, and how buses that differ are dealt with.
@Suite("the registration at the service bus")
struct ServiceBusLifeTests {
  private let content = RegistrationContent(topics: [topic])

  /// The calls, without their paths.
  private func names(_ bus: ScriptedBus) -> [String] { bus.calls.map { String($0.prefix { $0 != " " }) } }

  // MARK: Renewing

  @Test("a bus that refuses a second registration of an id has the first: a renewal changes nothing")
  func renewalRefused() async throws {
    let bus = ScriptedBus { _, _ in .json(#"{"error":"Duplicate entry 'connector' for key 'PRIMARY'"}"#) }
    #expect(try await bus.run { try await $0.register(content, .renewing) } == .held)
    #expect(names(bus) == ["register"])
  }

  @Test("a refusal without words may have any reason: it is taken back and registered")
  func renewalFailed() async throws {
    let registrations = Counter()
    let bus = ScriptedBus { _, call in
      call == "register" && registrations.next() == 1 ? HTTPResponse(status: 500) : ok
    }
    #expect(try await bus.run { try await $0.register(content, .renewing) } == .accepted)
    #expect(names(bus) == ["register", "unregister", "register"])
  }

  @Test("a bus that answers with its endpoints and has one of the id has it once: nothing more is needed")
  func renewalListed() async throws {
    let bus = ScriptedBus { _, _ in list(endpoint("other"), endpoint()) }
    #expect(try await bus.run { try await $0.register(content, .renewing) } == .accepted)
    #expect(names(bus) == ["register"])
  }

  @Test(
    "a bus that keeps both and says so is told to forget them first, in any manner",
    arguments: [RegistrationManner.plain, .renewing])
  func copiesListed(manner: RegistrationManner) async throws {
    let copies = Counter(startsAt: 1)
    let bus = ScriptedBus { _, call in
      if call == "unregister" { copies.reset() } else { _ = copies.next() }
      let held = [String](repeating: endpoint(), count: copies.value)
      return .json(#"{"result":[\#(held.joined(separator: ","))],"error":""}"#)
    }
    #expect(try await bus.run { try await $0.register(content, manner) } == .accepted)
    #expect(names(bus) == ["register", "unregister", "register"])
    #expect(copies.value == 1)
  }

  @Test("a bus that accepts and does not say what it has is not left with copies by renewals")
  func renewalUnclear() async throws {
    let bus = ScriptedBus { _, _ in .json(#"{"result":{"id":"connector"}}"#) }
    #expect(try await bus.run { try await $0.register(content, .renewing) } == .accepted)
    #expect(names(bus) == ["register", "unregister", "register"])
  }

  @Test("several are taken back first, and what fails behind that is a loss")
  func replacing() async throws {
    let bus = ScriptedBus { _, call in call == "register" ? HTTPResponse(status: 503) : ok }
    let error = await #expect(throws: RegistrationFailure.self) {
      try await bus.run { _ = try await $0.register(content, .replacing) }
    }
    #expect(error?.isLost == true)
    #expect(names(bus) == ["unregister", "register"])
  }

  // MARK: Looking

  @Test(
    "what discover tells",
    arguments: [
      (list(endpoint("other"), endpoint()), RegistrationCheck.present), (list(), .missing),
      (list(endpoint("other")), .missing), (list(endpoint(), endpoint()), .copies(2)),
      (list(endpoint(url: "http://old/service-bus")), .differs("it calls http://old/service-bus")),
      (list(endpoint(topics: [])), .differs("of the topics, 1 are missing and 0 too many")),
      (list(endpoint(topics: ["x", topic])), .differs("of the topics, 0 are missing and 1 too many")),
      (list(#"{"id":"connector"}"#), .present),
      (list(endpoint(more: #","enabled":false"#)), .switchedOff), (list(endpoint(more: #","enabled":true"#)), .present),
      (.json(#"{"result":{"offset":0,"size":10,"total":1,"items":[\#(endpoint())]}}"#), .present),
      (.json(#"{"result":{"total":0,"items":[]}}"#), .missing),
      (
        .json(#"{"result":{"total":"12","items":[\#(endpoint("other"))]}}"#),
        .unsupported("the answer to discover lists no endpoints")
      ),
      (.json(#"{"result":null}"#), .unsupported("the answer to discover lists no endpoints")),
      (HTTPResponse(status: 200), .unsupported("the answer to discover lists no endpoints")),
    ])
  func check(answer: HTTPResponse, expected: RegistrationCheck) async throws {
    let bus = ScriptedBus { _, _ in answer }
    #expect(try await bus.run { await $0.check(content) } == expected)
    #expect(names(bus) == ["discover"])
  }

  @Test(
    "buses that know no discover are told from those that are away for now",
    arguments: [
      (unknownMethod, true), (HTTPResponse.json(status: 404, #""{\"error_message\":\"no such method\"}""#), true),
      (.json(#"{"result":null,"error":"no such method"}"#), true), (HTTPResponse(status: 401), true),
      (HTTPResponse(status: 503), false), (HTTPResponse(status: 302, headers: ["Location": "http://x/"]), false),
    ])
  func unsupported(answer: HTTPResponse, isUnsupported: Bool) async throws {
    let bus = ScriptedBus { _, _ in answer }
    switch try await bus.run({ await $0.check(content) }) {
    case .unsupported: #expect(isUnsupported)
    case .failed: #expect(!isUnsupported)
    case let other: Issue.record("\(other)")
    }
  }

  // MARK: Switching off and on

  @Test("a bus that can switch an endpoint off, and says that it is, is left with that")
  func disable() async throws {
    let bus = ScriptedBus { _, call in call == "discover" ? list(endpoint(more: #","enabled":false"#)) : ok }
    try await bus.run { try await $0.disable() }
    #expect(names(bus) == ["control", "discover"])
    let params = try JSONDocument(parsing: #require(bus.requests.first).body).root["params"]
    #expect(params?.text == #"{"remotes":[{"id":"connector","enabled":false}]}"#)
  }

  @Test(
    "where that is unknown, without effect or can't be seen, the registration is taken back",
    arguments: [
      (unknownMethod, unknownMethod, ["control", "unregister"]),
      (ok, unknownMethod, ["control", "discover", "unregister"]),
      (ok, list(endpoint()), ["control", "discover", "unregister"]),
      (ok, list(endpoint(more: #","enabled":true"#)), ["control", "discover", "unregister"]),
      (ok, list(), ["control", "discover", "unregister"]),
    ])
  func disableOtherwise(control: HTTPResponse, discover: HTTPResponse, calls: [String]) async throws {
    let bus = ScriptedBus { _, call in
      switch call {
      case "control": control
      case "discover": discover
      default: ok
      }
    }
    try await bus.run { try await $0.disable() }
    #expect(names(bus) == calls)
  }

  @Test("a bus that is away has nothing switched off")
  func disableAway() async throws {
    let bus = ScriptedBus { _, _ in HTTPResponse(status: 401) }
    let error = await #expect(throws: ServiceBusError.self) { try await bus.run { try await $0.disable() } }
    #expect(error == .unauthorized && names(bus) == ["control"])
  }

  @Test("what was switched off is switched on and registered, whatever the bus makes of the first")
  func enable() async throws {
    for control in [ok, unknownMethod] {
      let bus = ScriptedBus { _, call in call == "control" ? control : ok }
      #expect(try await bus.run { try await $0.register(content, .enabling) } == .accepted)
      #expect(names(bus) == ["control", "register"])
    }
  }
}
