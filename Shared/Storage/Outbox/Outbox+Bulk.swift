extension Outbox {
  /// Adds many messages in their order, as ``add(_:_:now:)`` does one, without answering their delivery ids: PostgreSQL gets
  /// them all ahead of its answers.
  public func addAll(
    _ connection: Connection, _ messages: [OutboxMessage], now: Int64 = WallClock.nanoseconds()
  ) throws {
    for message in messages { try Self.check(message) }
    try connection.withStatement(
      "INSERT INTO outbox (method, message_key, route, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5)"
    ) { statement throws(StorageError) in
      try statement.bind(now, at: 5)
      try statement.runEach(
        messages, text: { $0.key }, at: 2,
        bind: { message throws(StorageError) in
          try statement.bind(message.method, at: 1)
          try statement.bind(Int64(message.route.rawValue), at: 3)
          try statement.bind(message.body, at: 4)
        }, changed: { _, _ in })
    }
  }
}
