import Storage

/// Payment commands of the OMS. See ``SalesStore`` about connections.
extension SalesStore {
  /// Takes a command over; one that is there already stays as it is. Where that one waits for an operator, whoever sends it again
  /// wants it to be tried again.
  ///
  /// - Returns: false for a repetition.
  @discardableResult
  func add(_ connection: Connection, _ command: PaymentCommand, now: Int64 = WallClock.nanoseconds()) throws -> Bool {
    if let known = try repeated(connection, command, now: now) {
      try resume(connection, known)
      return false
    }
    let isNew = try connection.withStatement(
      """
      INSERT INTO sales_payment_command (command_key, kind, increment_id, body, outcome, received_at, content)
      VALUES (?1, ?2, ?3, ?4, '', ?5, ?6) ON CONFLICT (command_key) DO NOTHING
      """
    ) { statement in
      try statement.bind(command.key, at: 1)
      try statement.bind(command.kind.rawValue, at: 2)
      try statement.bind(command.orderID, at: 3)
      try statement.bind(command.body, at: 4)
      try statement.bind(now, at: 5)
      try statement.bind(command.content, at: 6)
      return try statement.run() == 1
    }
    if isNew { try PaymentCommand.queue.add(connection, command.key) } else { try resume(connection, command.key) }
    return isNew
  }

  /// Those that are tried again by themselves go on doing so in their own time.
  private func resume(_ connection: Connection, _ key: String) throws {
    guard try PaymentCommand.queue.waiting(connection, key)?.isParked == true else { return }
    try PaymentCommand.queue.add(connection, key)
  }

  /// The key of the command that this one repeats; nil for none. One that has failed may be asked for again.
  private func repeated(_ connection: Connection, _ command: PaymentCommand, now: Int64) throws -> String? {
    if command.content.isEmpty { return nil }
    return try connection.withStatement(
      """
      SELECT command_key FROM sales_payment_command
      WHERE increment_id = ?1 AND content = ?2 AND received_at > ?3 AND outcome <> ?4
      ORDER BY received_at DESC LIMIT 1
      """
    ) { statement in
      try statement.bind(command.orderID, at: 1)
      try statement.bind(command.content, at: 2)
      try statement.bind(now - Int64(clamping: PaymentCommand.repetitionWindow.nanoseconds), at: 3)
      try statement.bind(command.kind.outcome(success: false), at: 4)
      return try statement.step() ? statement.text(0) : nil
    }
  }

  /// Removes commands with an outcome that nobody can replay any more, as ``Inbox/removeOld(_:now:)`` does. The others are owed still.
  static func removeOldPaymentCommands(_ connection: Connection, now: Int64) throws -> Int {
    try connection.withStatement(
      """
      DELETE FROM sales_payment_command WHERE command_key IN (
        SELECT command_key FROM sales_payment_command WHERE received_at < ?1 AND outcome <> '' ORDER BY received_at LIMIT ?2)
      """
    ) { statement throws(StorageError) in
      try statement.bind(now - Int64(clamping: Inbox.retention.nanoseconds), at: 1)
      try statement.bind(Int64(Inbox.removalLimit), at: 2)
      return try statement.run()
    }
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
      "SELECT kind, increment_id, body, content FROM sales_payment_command WHERE command_key = ?1 AND outcome = ''"
    ) { statement in
      try statement.bind(key, at: 1)
      guard try statement.step() else { return nil }
      return PaymentCommand(
        key: key, kind: try statement.value(0, of: "the kind of payment command \(key)"), orderID: statement.text(1),
        body: statement.blob(2), content: statement.blob(3))
    }
  }

  /// Notes the outcome and owes it to the OMS, in one.
  ///
  /// - Returns: false when it was known.
  func end(_ connection: Connection, _ command: PaymentCommand, _ message: OutboxMessage) throws -> Bool {
    let isNew = try connection.withStatement(
      "UPDATE sales_payment_command SET outcome = ?2, body = ?3 WHERE command_key = ?1 AND outcome = ''"
    ) { statement in
      try statement.bind(command.key, at: 1)
      try statement.bind(message.method, at: 2)
      try statement.bind([UInt8](), at: 3)
      return try statement.run() == 1
    }
    if isNew { try outbox.add(connection, message) }
    return isNew
  }
}
