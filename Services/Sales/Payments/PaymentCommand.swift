import Commerce
import Messages
import RPC
import ServiceKit
import Storage

/// A command of the OMS to the payment integration: validate, revalidate, capture, cancel or refund (messages.md §4.10), and its
/// way through the store. Each is passed on until the integration has answered, and its outcome is told once.
struct PaymentCommand: Sendable, Equatable {
  enum Kind: String, Sendable, CaseIterable {
    case validate, revalidate, capture, cancel, refund

    /// The bus's name of the command.
    var method: String { "magento.payments.payments_management.\(rawValue)" }

    /// The bus's name of its outcome.
    func outcome(success: Bool) -> String {
      let name =
        switch (self, success) {
        case (.validate, true): "notify_validated"
        case (.validate, false): "notify_validation_failed"
        case (.revalidate, true): "notify_revalidated"
        case (.revalidate, false): "notify_revalidation_failed"
        case (.capture, true): "notify_captured"
        case (.capture, false): "notify_capture_failed"
        case (.cancel, true): "notify_cancelled"
        case (.cancel, false): "notify_cancellation_failed"
        case (.refund, true): "notify_refunded"
        case (.refund, false): "notify_refund_failed"
        }
      return "magento.payments.payments_management.\(name)"
    }
  }

  /// Unique, and the same however often the command is passed on: by it the integration tells a repetition.
  var key: String
  var kind: Kind
  var orderID: String
  /// The params as they came; in the store until the outcome is known, because they may hold card and bank data.
  var body: [UInt8]
  /// Of a command without an operation reference, what it asks for: another one that asks for the same within ``repetitionWindow``, and
  /// whose predecessor has not failed, is a repetition under a new delivery id, as resending makes it. Empty with a reference, which is
  /// the OMS's own name of the operation.
  ///
  /// Two parcels of one order may come to the same amount on the same day: their lines tell them apart. Where a sender names neither
  /// operation nor lines, money that is taken once too seldom is missed by the OMS, which waits for its outcome; money that is taken
  /// twice is missed by the customer.
  var content: [UInt8] = []

  /// An operation with the same content after that is another one: long-lived orders are validated anew.
  static let repetitionWindow = Duration.seconds(24 * 3_600)

  static let queue = WorkQueue(kind: "payment")

  /// Of those that are there their bodies go, once they have an outcome.
  static let contentMigration = Migration(
    "what payment commands without a reference ask for",
    sqlite: [
      "ALTER TABLE sales_payment_command ADD COLUMN content BLOB NOT NULL DEFAULT x''",  // SHA-256
      "UPDATE sales_payment_command SET body = x'' WHERE outcome <> ''",
      "CREATE INDEX sales_payment_command_content ON sales_payment_command (increment_id, content)",
      "CREATE INDEX sales_payment_command_received ON sales_payment_command (received_at)",
    ],
    postgresql: [
      "ALTER TABLE sales_payment_command ADD COLUMN content BYTEA NOT NULL DEFAULT ''",
      "UPDATE sales_payment_command SET body = '' WHERE outcome <> ''",
      "CREATE INDEX sales_payment_command_content ON sales_payment_command (increment_id, content)",
      "CREATE INDEX sales_payment_command_received ON sales_payment_command (received_at)",
    ])

  static let migration = Migration(
    "payment commands of the OMS",
    sqlite: [
      """
      CREATE TABLE sales_payment_command (
        command_key TEXT NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL,
        increment_id TEXT NOT NULL,
        body BLOB NOT NULL,
        outcome TEXT NOT NULL, -- empty while it is not known
        received_at INTEGER NOT NULL
      ) STRICT
      """
    ],
    postgresql: [
      """
      CREATE TABLE sales_payment_command (
        command_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        kind TEXT COLLATE "C" NOT NULL,
        increment_id TEXT COLLATE "C" NOT NULL,
        body BYTEA NOT NULL,
        outcome TEXT COLLATE "C" NOT NULL,
        received_at BIGINT NOT NULL
      )
      """
    ])
}

/// Consumes the commands: durable first, passed on then.
struct PaymentMessages: Sendable {
  let store: SalesStore
  /// Told when commands wait.
  let added: @Sendable () -> Void

  var methods: [ConsumedMethod] {
    PaymentCommand.Kind.allCases.map { kind in
      ConsumedMethod(kind.method, in: store.database) { request, trace in
        let command = try Self.command(kind, request)
        let (store, added) = (store, added)
        return MessageEffect(
          weight: 2 + command.body.count / 1_024, key: command.orderID.isEmpty ? nil : command.orderID,
          apply: { try store.add($0, command) },
          result: { _ in Array("true".utf8) },
          committed: { isNew in
            Log.info(
              isNew ? "payment command" : "payment command is known",
              ["command": "\(kind)", "order": "\(quotable(command.orderID))"], trace: trace)
            added()
          })
      }
    }
  }

  private static func command(
    _ kind: PaymentCommand.Kind, _ request: Omsconnector.Internal.V1.ConsumeRequest
  ) throws -> PaymentCommand {
    guard let payment = try Magento.Oms.V1.PaymentMessage(json: request.body).payment else {
      throw RPCError.invalid(field: "payment", "payment is missing; send the operation in it")
    }
    // Senders without a reference of their own still name a delivery.
    let reference = payment.operationReference.isEmpty ? request.deliveryId : payment.operationReference
    let digest = SHA256.digest(ofParts: [Array(kind.rawValue.utf8), Array(reference.utf8), Array(payment.orderId.utf8)])
    let key = digest.prefix(16).map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0\(text)" : text
    }.joined()
    var command = PaymentCommand(key: key, kind: kind, orderID: payment.orderId, body: request.body)
    if payment.operationReference.isEmpty { command.content = content(kind, payment) }
    return command
  }

  private static func content(
    _ kind: PaymentCommand.Kind, _ payment: Magento.Oms.V1.PaymentOperation
  ) -> [UInt8] {
    let amount = payment.amount.map { Decimal($0)?.text ?? $0.value } ?? ""
    let lines = payment.lines.map { $0.json() }.sorted()
    let parts = [
      kind.rawValue, payment.orderId, payment.gateway, payment.gatewayAccount, payment.gatewayKey, amount,
      payment.currency,
    ]
    return SHA256.digest(ofParts: (parts + lines).map { Array($0.utf8) })
  }
}
