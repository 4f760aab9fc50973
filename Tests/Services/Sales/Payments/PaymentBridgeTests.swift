import EventLoop
import HTTP
import Messages
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Sales

/// A payment integration that answers each request with what the test says.
private final class ScriptedIntegration: Sendable {
  private final class Script: Sendable {
    let asked = Lock<[HTTPRequest]>([])
    let answers: Lock<[HTTPResponse]>
    init(_ answers: [HTTPResponse]) { self.answers = Lock(answers) }
  }

  private let script: Script
  private let server: HTTPServer

  init(_ answers: [HTTPResponse]) throws {
    let script = Script(answers)
    self.script = script
    server = try HTTPServer(listeningOn: #require(HTTPAddress(parsing: "127.0.0.1:0")), setting: "TEST") { request in
      script.asked.withLock { $0.append(request) }
      return script.answers.withLock { $0.isEmpty ? HTTPResponse(status: 500) : $0.removeFirst() }
    }
  }

  var asked: [HTTPRequest] { script.asked.withLock { $0 } }
  var integration: PaymentBridge.Integration {
    .init(url: "http://\(server.address)/pay", token: Secret("token"), http: HTTPClient())
  }
  func stop() async { await server.shutdown(grace: .seconds(1)) }
}

@Suite("The OMS's payment commands")
struct PaymentBridgeTests {
  private let body = Array(
    """
    {"payment":{"gateway":"ADYEN","gateway_key":"K1","amount":12.50,"currency":"EUR","order_id":"7",\
    "operation_reference":"OP-1"}}
    """.utf8)

  private func command(_ kind: PaymentCommand.Kind) -> PaymentCommand {
    PaymentCommand(key: "\(kind)-1", kind: kind, orderID: "7", body: body)
  }

  private func claim(_ sales: TemporarySales) async throws -> WorkItem {
    try #require(
      try await sales.database.write {
        try PaymentCommand.queue.claim($0, limit: 1, holder: "test", for: .seconds(30))
      }.first)
  }

  @Test(
    "each is passed on, and its outcome is told the OMS once",
    arguments: [
      (.validate, true, "notify_validated"), (.validate, false, "notify_validation_failed"),
      (.revalidate, true, "notify_revalidated"), (.revalidate, false, "notify_revalidation_failed"),
      (.capture, true, "notify_captured"), (.capture, false, "notify_capture_failed"),
      (.cancel, true, "notify_cancelled"), (.cancel, false, "notify_cancellation_failed"),
      (.refund, true, "notify_refunded"), (.refund, false, "notify_refund_failed"),
    ] as [(PaymentCommand.Kind, Bool, String)])
  func outcomes(kind: PaymentCommand.Kind, success: Bool, outcome: String) async throws {
    let sales = try TemporarySales()
    let (store, command) = (sales.store, command(kind))
    let gateway = try ScriptedIntegration([
      .json(#"{"success":\#(success),"gateway_response":"R-9","new_gateway_key":"K2"}"#)
    ])
    let bridge = PaymentBridge(store: store, integration: gateway.integration) {}
    try await sales.database.write { connection in
      try store.add(connection, command)
      try store.add(connection, command)
    }
    let item = try await claim(sales)
    #expect(try await bridge(item) == .done)
    #expect(try await bridge(item) == .done, "a repetition finds its end noted")
    let asked = try #require(gateway.asked.first)
    #expect(gateway.asked.count == 1 && asked.target == "/pay/\(kind)")
    #expect(asked.headers["Idempotency-Key"] == command.key && asked.headers["Authorization"] == "Bearer token")
    #expect(asked.body == body)
    let outgoing = try await sales.outgoing()
    #expect(outgoing.map(\.message.method) == ["magento.payments.payments_management.\(outcome)"])
    #expect(outgoing[0].message.key == "7" && outgoing[0].message.route == .delegate)
    let told = try #require(try Magento.Oms.V1.PaymentMessage(json: outgoing[0].message.body).payment)
    #expect(told.operationReference == "OP-1" && told.amount?.value == "12.50" && told.gatewayKey == "K1")
    #expect(told.gatewayResponse == "R-9" && told.newGatewayKey == "K2" && told.gatewayCommand == "\(kind)")
    await sales.database.close()
    await gateway.stop()
  }

  @Test("without an answer nothing is told, and it is asked again under the same key")
  func noAnswer() async throws {
    let sales = try TemporarySales()
    let (store, command) = (sales.store, command(.capture))
    let gateway = try ScriptedIntegration([
      HTTPResponse(status: 503), .json("[]"), .json(#"{"success":"yes"}"#), .json(#"{"success":true}"#),
    ])
    let bridge = PaymentBridge(store: store, integration: gateway.integration) {}
    _ = try await sales.database.write { try store.add($0, command) }
    let item = try await claim(sales)
    for _ in 0..<3 { await #expect(throws: PaymentBridge.NoAnswer.self) { try await bridge(item) } }
    #expect(try await sales.outgoing().isEmpty)
    #expect(try await bridge(item) == .done)
    #expect(Set(gateway.asked.map { $0.headers["Idempotency-Key"] }) == [command.key])
    #expect(try await sales.outgoing().count == 1)
    await sales.database.close()
    await gateway.stop()
  }

  @Test("without an integration it waits for an operator")
  func noIntegration() async throws {
    let sales = try TemporarySales()
    let (store, command) = (sales.store, command(.capture))
    let bridge = PaymentBridge(store: store, integration: nil) {}
    _ = try await sales.database.write { try store.add($0, command) }
    guard case .parked(let reason) = try await bridge(try await claim(sales)) else {
      Issue.record("it is not parked")
      return
    }
    #expect(reason.contains("SALES_PAYMENTS_URL"))
    await sales.database.close()
  }

  @Test(
    "a command of a kind that this version does not know is kept, not taken for done", arguments: TestEngine.allCases)
  func unknownKind(engine: TestEngine) async throws {
    let sales = try TemporarySales(engine)
    let (store, command) = (sales.store, command(.capture))
    let bridge = PaymentBridge(store: store, integration: nil) {}
    _ = try await sales.database.write { try store.add($0, command) }
    try await sales.database.write { try $0.execute("UPDATE sales_payment_command SET kind = 'split'") }
    let item = try await claim(sales)
    let error = await #expect(throws: StorageError.self) { try await bridge(item) }
    #expect(error?.message == #"the kind of payment command capture-1 is "split", which is unknown"#)
    await sales.database.close()
  }
}
