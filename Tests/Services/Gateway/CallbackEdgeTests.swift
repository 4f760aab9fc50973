import EventLoop
import HTTP
import Messages
import RPC
import ServiceKit
import Testing

@testable import Gateway

/// Takes messages in place of the services.
final class RecordingConsumer: Sendable {
  typealias Received = (
    service: ConnectorService, request: Omsconnector.Internal.V1.ConsumeRequest, trace: TraceContext
  )

  private let messages = Lock<[Received]>([])
  var received: [Received] { messages.withLock { $0 } }
  let failure: (any Error)?
  let result: String

  init(result: String = "null", failure: (any Error)? = nil) {
    self.result = result
    self.failure = failure
  }

  /// Runs `body` with an edge that answers stock messages when their effect is there, unless told otherwise.
  func withEdge<Value>(
    secret: String? = nil, synchronous: Set<String> = [CallbackEdgeTests.method],
    _ body: (CallbackEdge) async throws -> Value
  ) async throws -> Value {
    try await TemporaryJournal.withInbound(consume: consume) { inbound in
      try await body(
        CallbackEdge(
          signature: CallbackSignature(requiring: secret.map { Secret($0) }), inbound: inbound,
          synchronousMethods: synchronous))
    }
  }

  private func consume(
    _ service: ConnectorService, _ request: Omsconnector.Internal.V1.ConsumeRequest, _ trace: TraceContext
  ) async throws -> Omsconnector.Internal.V1.ConsumeResponse {
    messages.withLock { $0.append((service, request, trace)) }
    if let failure { throw failure }
    return .init(result: Array(result.utf8))
  }
}

@Suite struct CallbackEdgeTests {
  static let method = "magento.inventory.aggregate_stock_management.updated"

  private func post(_ body: String, to edge: CallbackEdge, headers: HTTPHeaders = [:]) async -> HTTPResponse {
    await edge.handle(
      HTTPRequest(method: "POST", target: "/service-bus", headers: headers, body: Array(body.utf8)))
  }

  private func post(
    _ body: String, to consumer: RecordingConsumer, secret: String? = nil, headers: HTTPHeaders = [:]
  ) async throws -> HTTPResponse {
    try await consumer.withEdge(secret: secret) { await post(body, to: $0, headers: headers) }
  }

  private func text(_ response: HTTPResponse) -> String { String(decoding: response.body, as: UTF8.self) }

  @Test(
    "what the OMS could not use goes to the service that has sent it, where that takes it; else to sales",
    arguments: [
      (#""post-sales-0123456789abcdef-7""#, ConnectorService.postSales), (#""sales-0123456789abcdef-7""#, .sales),
      (#""inventory-0123456789abcdef-7""#, .sales), (#""post-sales""#, .sales), ("7", .sales), ("null", .sales),
    ])
  func refusals(delivery: String, service: ConnectorService) async throws {
    let consumer = RecordingConsumer()
    let name = "magento.common.error_management.created"
    let body = #"{"id":"1","method":"\#(name)","params":{"topic":"t","message":"m","delivery_id":\#(delivery)}}"#
    try await consumer.withEdge(synchronous: [name]) { _ = await post(body, to: $0) }
    #expect(consumer.received.map(\.service) == [service])
  }

  @Test("a message goes on in the trace of its delivery, or begins one")
  func trace() async throws {
    let consumer = RecordingConsumer()
    let body = #"{"id":"1","method":"\#(Self.method)","params":{"snapshot":{"aggregate_id":"A"}}}"#
    let trace = "0af7651916cd43dd8448eb211c80319c"
    _ = try await post(body, to: consumer, headers: ["Traceparent": "00-\(trace)-b7ad6b7169203331-01"])
    _ = try await post(body, to: consumer, headers: ["traceparent": "nonsense"])
    let traces = consumer.received.map(\.trace)
    try #require(traces.count == 2)
    #expect(traces[0].traceID.description == trace)
    #expect(traces[0].parentSpanID != 0)
    #expect(traces[1].traceID != traces[0].traceID)
  }

  @Test("a message goes to its service with its id, method and key, and with params that say the same")
  func delivery() async throws {
    let consumer = RecordingConsumer(result: #"{"applied":1}"#)
    let params = #"{"snapshot":{"aggregate_id":"EU-WEB","mode":"DELTA","stock":[{"quantity":4.20e1}],"x":"é"}}"#
    let sent = params.replacing(":", with: " :\t").replacing("é", with: "\\u00e9")
    let response = try await post(
      #"{"id": "d-7001" ,"client":"x","method":"\#(Self.method)","params":\#(sent)}"#, to: consumer)
    #expect(response.status == 200 && response.headers["Content-Type"] == "application/json")
    #expect(text(response) == #"{"jsonrpc":"2.0","id":"d-7001","result":{"applied":1}}"#)
    let received = try #require(consumer.received.first)
    #expect(received.service == .inventory)
    #expect(received.request.deliveryId == #""d-7001""# && received.request.method == Self.method)
    #expect(received.request.key == "EU-WEB")
    #expect(String(decoding: received.request.body, as: UTF8.self) == params)
  }

  @Test(
    "the id is echoed, whatever its type, numbers as they were written",
    arguments: [
      ("1", "1"), ("1.50", "1.50"), ("12345678901234567890123", "12345678901234567890123"),
      (#""a\u00e9\/""#, #""aé/""#), (#""\"""#, #""\"""#), ("null", "null"), ("[1, 2]", "[1,2]"),
      (#"{"a": 1}"#, #"{"a":1}"#), ("true", "true"),
    ])
  func idEcho(id: String, echo: String) async throws {
    let response = try await post(
      #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(Self.method)","params":{}}"#, to: RecordingConsumer())
    #expect(text(response) == #"{"jsonrpc":"2.0","id":\#(echo),"result":null}"#)
  }

  static let badMessages: [(body: String, code: Int, id: String, says: String)] = [
    ("", -32700, "null", "ends too early"),
    ("{", -32700, "null", "ends too early"),
    ("{\"id\":1,}", -32700, "null", "not JSON at byte 8"),
    ("not json", -32700, "null", "not JSON at byte"),
    (String(repeating: "[", count: 10_000), -32700, "null", "nested deeper than 100 levels"),
    (
      #"{"id":1,"method":"m","params":"# + String(repeating: #"{"a":"#, count: 10_000) + "1"
        + String(repeating: "}", count: 10_001), -32700, "null", "nested deeper than 100 levels"
    ),
    ("{} {}", -32700, "null", "something follows the value"),
    (#"{"id":"\u0000","method":"m"}"#, -32600, "null", "NUL"),
    ("[1" + String(repeating: ",1", count: 500_000) + "]", -32600, "null", "more than 500000 fields"),
    (#"[{"id":1,"method":"m","params":{}}]"#, -32600, "null", "batch"),
    ("[]", -32600, "null", "batch"),
    ("1", -32600, "null", "no JSON object"),
    ("\"text\"", -32600, "null", "no JSON object"),
    ("{}", -32600, "null", "method is missing"),
    (#"{"id":5}"#, -32600, "5", "method is missing"),
    (#"{"id":5,"method":7}"#, -32600, "5", "method is 7"),
    (#"{"id":5,"method":""}"#, -32600, "5", "not a name"),
    (#"{"id":5,"method":null}"#, -32600, "5", "method is null"),
    (#"{"id":5,"jsonrpc":"1.0","method":"m"}"#, -32600, "5", "jsonrpc is \\\"1.0\\\""),
    (#"{"id":"\#(String(repeating: "x", count: 2000))","method":"m"}"#, -32600, "null", "longer than 1024"),
    (#"{"id":5,"method":"magento.nothing.here"}"#, -32601, "5", "magento.nothing.here"),
    (#"{"id":5,"method":"\#(method).x","params":{}}"#, -32601, "5", "not consumed"),
    (
      #"{"id":5,"method":"Magento.inventory.aggregate_stock_management.updated","params":{}}"#, -32601, "5",
      "not consumed"
    ),
    (#"{"id":5,"method":"\#(method)"}"#, -32602, "5", "params is missing"),
    (#"{"id":5,"method":"\#(method)","params":[]}"#, -32602, "5", "params is no object"),
    (#"{"id":5,"method":"\#(method)","params":null}"#, -32602, "5", "params is no object"),
    (#"{"id":5,"method":"\#(method)","params":"x"}"#, -32602, "5", "params is no object"),
  ]

  @Test(
    "a message that can't be read is kept with the method and the key that it has",
    arguments: [
      (#"{"id":1,"method":"\#(method)","params":[1]}"#, method, ""),
      (#"{"jsonrpc":"1.0","id":1,"method":"\#(method)","params":{"snapshot":{"aggregate_id":"EU"}}}"#, method, "EU"),
      (#"{"jsonrpc":"1.0","id":1,"method":"magento.x.y.z"}"#, "magento.x.y.z", ""), ("{", "", ""), ("[]", "", ""),
      (#"{"id":1,"method":7}"#, "", ""),
    ])
  func kept(body: String, method: String, key: String) throws {
    let names = JSONRPCRequest.names(in: Array(body.utf8))
    #expect(names.method == method && names.key == key)
  }

  @Test("a bad message is answered with 200 and its error, and reaches no service", arguments: badMessages)
  func badMessage(body: String, code: Int, id: String, says: String) async throws {
    let consumer = RecordingConsumer()
    let response = try await post(body, to: consumer)
    #expect(response.status == 200)
    #expect(text(response).hasPrefix(#"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":""#))
    #expect(text(response).contains(says), "\(text(response))")
    #expect((try? JSONDocument(parsing: response.body)) != nil)
    #expect(consumer.received.isEmpty)
  }

  @Test(
    "a service's failure becomes the reply's error",
    arguments: [
      (RPCError(.invalidArgument, "mode \"PARTIAL\" is not one of FULL, DELTA, NONZERO"), 200, -32602),
      (RPCError(.unimplemented, "no"), 200, -32601),
      (RPCError(.failedPrecondition, "not yet"), 200, -32000),
      (RPCError(.internalError, "no"), 503, -32000),
      (RPCError(.unavailable, "nobody there"), 503, -32000),
      (RPCError(.deadlineExceeded, "slow"), 503, -32000),
      (RPCError(.resourceExhausted, "the disk is full"), 503, -32000),
    ])
  func serviceFailure(error: RPCError, status: Int, code: Int) async throws {
    let response = try await post(
      #"{"id":9,"method":"\#(Self.method)","params":{}}"#, to: RecordingConsumer(failure: error))
    #expect(response.status == status)
    #expect(text(response).contains(#""id":9,"error":{"code":\#(code),"#))
    #expect((response.headers["Retry-After"] != nil) == (status == 503))
    if code == -32602 { #expect(text(response).contains(JSONText.quoted(error.message))) }
  }

  @Test("what is no status tells nothing of its cause")
  func foreignFailure() async throws {
    let consumer = RecordingConsumer(failure: CancellationError())
    let response = try await post(#"{"id":9,"method":"\#(Self.method)","params":{}}"#, to: consumer)
    #expect(response.status == 503 && text(response).contains("-32000") && !text(response).contains("Cancellation"))
  }

  @Test(
    "signatures are checked on the raw bytes, before the message is looked at",
    arguments: [
      ("sha1=67f5e68ef9e8d0c5e1ad1bc0bbdc8f0e8ef38a97", 401), ("", 401), ("sha1=", 401), ("md5=abc", 401), (nil, 401),
      ("VALID", 200), ("VALID UPPER", 200),
    ] as [(String?, Int)])
  func signature(given: String?, status: Int) async throws {
    let body = "this is no JSON at all"
    let valid = "sha1=" + HMAC.sha1Hex(key: Array("secret".utf8), message: Array(body.utf8))
    var headers = HTTPHeaders()
    switch given {
    case nil: break
    case "VALID": headers["x-signature"] = valid
    case "VALID UPPER": headers["X-Signature"] = "sha1=" + valid.dropFirst(5).uppercased()
    case .some(let text): headers["X-Signature"] = text
    }
    let response = try await post(body, to: RecordingConsumer(), secret: "secret", headers: headers)
    #expect(response.status == status)
    #expect(text(response).contains(status == 401 ? "X-Signature" : "-32700"))
    #expect((try? JSONDocument(parsing: response.body)) != nil)
  }

  @Test("the probe is answered as the bus expects it")
  func probe() async throws {
    let response = try await RecordingConsumer().withEdge(secret: "s") {
      await $0.handle(HTTPRequest(method: "OPTIONS", target: "/service-bus"))
    }
    #expect(response.status == 200 && response.headers["X-Magento-Service-Bus"] == "*")
  }

  @Test(
    "other verbs and paths",
    arguments: [
      ("GET", "/service-bus", 405), ("PUT", "/service-bus", 405), ("POST", "/", 404), ("POST", "/service-bus/", 404),
      ("OPTIONS", "/x", 404),
    ])
  func elsewhere(method: String, target: String, status: Int) async throws {
    let response = try await RecordingConsumer().withEdge {
      await $0.handle(HTTPRequest(method: method, target: target))
    }
    #expect(response.status == status)
    #expect((response.headers["Allow"] != nil) == (status == 405))
  }

  @Test("over HTTP: a message of 5 MiB is refused with a JSON-RPC error and 413, one of the largest size is delivered")
  func sizes() async throws {
    let consumer = RecordingConsumer()
    let (tooLarge, largest) = try await consumer.withEdge { edge in try await Self.sendTwo(to: edge) }
    #expect(tooLarge.status == 413)
    #expect(text(tooLarge).hasPrefix(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#))
    #expect(largest.status == 200)
    #expect(consumer.received.map { $0.request.serialized().count < 4 << 20 } == [true])
  }

  /// A message that is too large, and one of the largest size.
  private static func sendTwo(to edge: CallbackEdge) async throws -> (HTTPResponse, HTTPResponse) {
    var options = HTTPServerOptions()
    options.maxBodyBytes = Gateway.maxMessageBytes
    options.rejection = { CallbackEdge.rejection($0) }
    let server = try HTTPServer(
      listeningOn: HTTPAddress(host: "127.0.0.1", port: 0), setting: "GATEWAY_HTTP", options: options
    ) { await edge.handle($0) }
    func send(_ size: Int) async throws -> HTTPResponse {
      let frame = #"{"id":1,"method":"\#(method)","params":{"a":""}}"#
      let padding = String(repeating: "x", count: size - frame.utf8.count)
      let body = frame.replacing(#""a":"""#, with: #""a":"\#(padding)""#)
      return try await HTTPClient().send(
        HTTPRequest(method: "POST", target: "http://\(server.address)/service-bus", body: Array(body.utf8)))
    }
    let answers = (try await send(5 << 20), try await send(Gateway.maxMessageBytes))
    await server.shutdown(grace: .seconds(5))
    return answers
  }
}
