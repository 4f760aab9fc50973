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
  /// The params as they came.
  var body: [UInt8]

  static let queue = WorkQueue(kind: "payment")

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
          committed: { _ in
            Log.info(
              "payment command", ["command": "\(kind)", "order": "\(quotable(command.orderID))"], trace: trace)
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
    return PaymentCommand(key: key, kind: kind, orderID: payment.orderId, body: request.body)
  }
}

extension SalesStore {
  /// Takes a command over; one that is there already stays as it is.
  func add(_ connection: Connection, _ command: PaymentCommand, now: Int64 = WallClock.nanoseconds()) throws {
    let isNew = try connection.withStatement(
      """
      INSERT INTO sales_payment_command (command_key, kind, increment_id, body, outcome, received_at)
      VALUES (?1, ?2, ?3, ?4, '', ?5) ON CONFLICT (command_key) DO NOTHING
      """
    ) { statement in
      try statement.bind(command.key, at: 1)
      try statement.bind(command.kind.rawValue, at: 2)
      try statement.bind(command.orderID, at: 3)
      try statement.bind(command.body, at: 4)
      try statement.bind(now, at: 5)
      return try statement.run() == 1
    }
    if isNew { try PaymentCommand.queue.add(connection, command.key) }
  }

  /// Commands without an outcome are due, also those that wait for an operator; the oldest 10 000.
  func requeuePaymentCommands(_ connection: Connection) throws {
    let keys = try connection.withStatement(
      "SELECT command_key FROM sales_payment_command WHERE outcome = '' ORDER BY received_at LIMIT 10000"
    ) { statement in
      var keys: [String] = []
      while try statement.step() { keys.append(statement.text(0)) }
      return keys
    }
    for key in keys { try PaymentCommand.queue.add(connection, key) }
  }

  /// nil when there is none, or its outcome is known.
  func openPaymentCommand(_ connection: Connection, _ key: String) throws -> PaymentCommand? {
    try connection.withStatement(
      "SELECT kind, increment_id, body FROM sales_payment_command WHERE command_key = ?1 AND outcome = ''"
    ) { statement in
      try statement.bind(key, at: 1)
      guard try statement.step(), let kind = PaymentCommand.Kind(rawValue: statement.text(0)) else { return nil }
      return PaymentCommand(key: key, kind: kind, orderID: statement.text(1), body: statement.blob(2))
    }
  }

  /// Notes the outcome and owes it to the OMS, in one.
  ///
  /// - Returns: false when it was known.
  func end(_ connection: Connection, _ command: PaymentCommand, _ message: OutboxMessage) throws -> Bool {
    let isNew = try connection.withStatement(
      "UPDATE sales_payment_command SET outcome = ?2 WHERE command_key = ?1 AND outcome = ''"
    ) { statement in
      try statement.bind(command.key, at: 1)
      try statement.bind(message.method, at: 2)
      return try statement.run() == 1
    }
    if isNew { try outbox.add(connection, message) }
    return isNew
  }
}
