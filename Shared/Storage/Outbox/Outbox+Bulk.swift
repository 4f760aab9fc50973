extension Outbox {
  /// Adds many messages in their order, as ``add(_:_:now:)`` does one, without answering their delivery ids: PostgreSQL gets
  /// them all ahead of its answers.
  public func addAll(
    _ connection: Connection, _ messages: [OutboxMessage], now: Int64 = WallClock.nanoseconds()
  ) throws {
    for message in messages { try Self.check(message) }
    switch connection.engine {
    case .sqlite: try insert(connection, messages, ids: [Int64?](repeating: nil, count: messages.count), now)
    case .postgresql: try insert(connection, messages, ids: Self.takeIDs(connection, for: messages), now)
    }
  }

  /// - Parameter ids: nil lets SQLite give one.
  func insert(_ connection: Connection, _ messages: [OutboxMessage], ids: [Int64?], _ now: Int64) throws {
    try connection.withStatement(
      "INSERT INTO outbox (id, method, message_key, route, body, created_at) VALUES (?6, ?1, ?2, ?3, ?4, ?5)"
    ) { statement throws(StorageError) in
      try statement.bind(now, at: 5)
      try statement.runEach(
        Array(zip(messages, ids)), text: { $0.0.key }, at: 2,
        bind: { row throws(StorageError) in
          let (message, id) = row
          try statement.bind(message.method, at: 1)
          try statement.bind(Int64(message.route.rawValue), at: 3)
          try statement.bind(message.body, at: 4)
          try statement.bind(id, at: 6)
        }, changed: { _, _ in })
    }
  }
}
