import Storage

/// A payment command that can't be passed on until somebody does something: there is no integration, or it has not answered for
/// long. The OMS waits for its outcome.
struct StuckPayment: Sendable, Equatable {
  var incrementID: String
  /// The OMS's word for it, such as capture.
  var command: String
  var reason: String

  var text: String { "the OMS's payment command \(command) is not carried out: \(reason)" }
}

/// Payment commands that wait for an operator. See ``SalesStore`` about connections.
extension SalesStore {
  /// Of one order that are told of, and that are resumed at a time.
  static let stuckPaymentLimit = 100

  /// Of commands without an outcome, and of their work.
  private static let stuck = """
    FROM work JOIN sales_payment_command ON command_key = work.key
    WHERE work.kind = '\(PaymentCommand.queue.kind)' AND work.parked = 1 AND outcome = ''
    """

  /// Orders with such commands, to be looked for among others.
  static let ordersWithStuckPayments = "SELECT increment_id \(stuck)"

  /// The oldest first.
  ///
  /// - Parameter incrementID: nil for all orders, also those that are not known here.
  func stuckPayments(
    _ connection: Connection, of incrementID: String? = nil, limit: Int = stuckPaymentLimit
  ) throws -> [StuckPayment] {
    let condition = incrementID == nil ? "" : "AND increment_id = ?2"
    return try connection.withStatement(
      """
      SELECT increment_id, sales_payment_command.kind, work.reason \(Self.stuck) \(condition)
      ORDER BY received_at, command_key LIMIT ?1
      """
    ) { statement in
      try statement.bind(Int64(limit), at: 1)
      if let incrementID { try statement.bind(incrementID, at: 2) }
      var payments: [StuckPayment] = []
      while try statement.step() {
        payments.append(
          StuckPayment(incrementID: statement.text(0), command: statement.text(1), reason: statement.text(2)))
      }
      return payments
    }
  }

  func stuckPaymentCount(_ connection: Connection) throws -> Int {
    try connection.withStatement("SELECT COUNT(*) \(Self.stuck)") { try $0.step() ? Int($0.integer(0)) : 0 }
  }

  /// Has the stuck commands of an order passed on once more, each under its key: what the integration has done it does not do again.
  func resumePayments(_ connection: Connection, of incrementID: String) throws {
    let keys = try connection.withStatement(
      "SELECT command_key \(Self.stuck) AND increment_id = ?1 ORDER BY received_at, command_key LIMIT ?2"
    ) { statement in
      try statement.bind(incrementID, at: 1)
      try statement.bind(Int64(Self.stuckPaymentLimit), at: 2)
      var keys: [String] = []
      while try statement.step() { keys.append(statement.text(0)) }
      return keys
    }
    for key in keys { try PaymentCommand.queue.add(connection, key) }
  }
}
