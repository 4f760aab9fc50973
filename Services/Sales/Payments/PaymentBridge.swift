import Commerce
import HTTP
import Messages
import ServiceKit
import Storage

/// Passes the OMS's payment commands on to the merchant's payment integration, and its outcomes back: the capture model CUSTOM
/// (connector.md §2.7).
///
/// The integration gets `POST URL/COMMAND` with the command's params and the header `Idempotency-Key`, which stays the same when it
/// is asked again, and answers JSON: `{"success": true|false, "gateway_response": TEXT, "new_gateway_key": TEXT}`. A refusal is an
/// answer (`"success": false`); without an answer, and on any other status than 2xx, it is asked again.
struct PaymentBridge: Sendable {
  static let answerLimit = 64 << 10
  static let textLimit = 2_000

  let store: SalesStore
  /// nil without SALES_PAYMENTS_URL.
  let integration: Integration?
  /// Told when outcomes wait for the OMS.
  let added: @Sendable () -> Void

  struct Integration: Sendable {
    let url: String
    let token: Secret?
    let http: HTTPClient
  }

  func callAsFunction(_ item: WorkItem) async throws -> WorkOutcome {
    let store = store
    guard let command = try await store.database.read({ try store.openPaymentCommand($0, item.key) }) else {
      return .done
    }
    guard let integration else {
      return .parked(
        reason: "the OMS asks to \(command.kind) a payment of order \(command.orderID), and there is no integration: "
          + "set SALES_PAYMENTS_URL and start the sales service again")
    }
    let answer = try await ask(integration, command)
    let message = try outcome(of: command, answer)
    let isNew = try await store.database.write(weight: 2 + message.body.count / 1_024, key: command.orderID) {
      try store.end($0, command, message)
    }
    if isNew { added() }
    return .done
  }

  struct Answer: Equatable {
    var success: Bool
    var gatewayResponse: String
    var newGatewayKey: String
  }

  /// Why there is no answer yet.
  struct NoAnswer: Error, CustomStringConvertible {
    let description: String
  }

  private func ask(_ integration: Integration, _ command: PaymentCommand) async throws -> Answer {
    var headers: HTTPHeaders = [
      "Content-Type": "application/json", "Accept": "application/json", "Idempotency-Key": command.key,
    ]
    if let token = integration.token { headers["Authorization"] = "Bearer \(token.reveal())" }
    let target = "\(integration.url)/\(command.kind.rawValue)"
    let response = try await integration.http.send(
      HTTPRequest(method: "POST", target: target, headers: headers, body: command.body))
    guard (200..<300).contains(response.status) else {
      throw NoAnswer(description: "the payment integration answers \(response.status) to \(command.kind)")
    }
    return try Self.answer(response.body)
  }

  static func answer(_ body: [UInt8]) throws -> Answer {
    let root = try JSONDocument(parsing: body).root
    guard let success = root["success"], ["true", "false"].contains(success.text) else {
      throw NoAnswer(description: "the payment integration's answer has no member success of true or false")
    }
    return Answer(
      success: success.text == "true",
      gatewayResponse: String((root["gateway_response"]?.string ?? "").prefix(textLimit)),
      newGatewayKey: String((root["new_gateway_key"]?.string ?? "").prefix(textLimit)))
  }

  /// The command's own operation comes back, with what the gateway has said. Card and bank data are not in it.
  private func outcome(of command: PaymentCommand, _ answer: Answer) throws -> OutboxMessage {
    var message = try Magento.Oms.V1.PaymentMessage(json: command.body)
    guard var payment = message.payment else { throw NoAnswer(description: "the command has no payment") }
    payment.gatewayCommand = command.kind.rawValue
    payment.gatewayResponse = answer.gatewayResponse
    payment.gatewayResponseTime = Google.Protobuf.Timestamp(nanosecondsSinceEpoch: WallClock.nanoseconds()).text
    if !answer.newGatewayKey.isEmpty { payment.newGatewayKey = answer.newGatewayKey }
    message.payment = payment
    return OutboxMessage(
      method: command.kind.outcome(success: answer.success), key: command.orderID, route: .delegate,
      body: Array(message.json().utf8))
  }
}

extension PaymentBridge {
  /// Its runner, on what the settings say.
  ///
  /// - Returns: what consumes the commands.
  static func start(
    _ store: SalesStore, of setup: inout ServiceSetup, added: @escaping @Sendable () -> Void
  ) -> PaymentMessages {
    let configuration = setup.configuration
    var options = HTTPClientOptions()
    options.maxResponseBytes = answerLimit
    let integration = configuration[SalesSettings.paymentsURL].map {
      Integration(url: $0, token: configuration[SalesSettings.paymentsToken], http: HTTPClient(options: options))
    }
    let bridge = PaymentBridge(store: store, integration: integration, added: added)
    let runner = WorkRunner(PaymentCommand.queue, in: store.database, loop: setup.group.next()) { try await bridge($0) }
    runner.run(in: &setup)
    if integration != nil {
      // Those that waited for an integration.
      setup.run("payment commands") {
        do {
          try await store.database.write { try store.requeuePaymentCommands($0) }
          runner.wake()
        } catch {
          Log.warning("open payment commands can't be read", ["reason": LogValue(error)])
        }
      }
    }
    return PaymentMessages(store: store) { runner.wake() }
  }
}
