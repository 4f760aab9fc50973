/// The messages that a service owes the OMS and that the gateway doesn't have yet.
///
/// A message commits together with the change that it tells of, so neither is ever there without the other. From here
/// `OutboxRelay` (ServiceKit) hands it to the gateway, and removes it when the gateway has it.
public struct Outbox: Sendable {
  /// Bytes of a message's body: with what goes with it, it must fit a gRPC message of 4 MiB.
  public static let maximumBodyBytes = (4 << 20) - (64 << 10)
  /// Bytes of a method.
  public static let maximumMethodBytes = 256
  /// Bytes of a key.
  public static let maximumKeyBytes = 1_024

  /// Whose it is.
  public let service: String

  /// - Parameter service: whose outbox it is: the first part of its delivery ids.
  public init(service: String) { self.service = service }

  /// Adds a message. To be called within the body of ``Database/write(weight:_:)`` that makes the change, after the change
  /// when others may be at the same key: which of two transactions comes first is settled by what they both write. On PostgreSQL
  /// both take a number of the key, see ``takeIDs(_:for:)``: where a key is busy, give it to ``Database/write(weight:key:_:)``, so that
  /// the second one waits rather than being run anew.
  ///
  /// - Returns: the delivery id, by which journal and logs of the gateway know the message.
  /// - Throws: ``StorageError``: `constraint` when the message is larger than the limits.
  @discardableResult
  public func add(
    _ connection: Connection, _ message: OutboxMessage, now: Int64 = WallClock.nanoseconds()
  ) throws -> String {
    try add(connection, [message], now: now)[0]
  }

  /// Adds messages in their order, all for as many requests to the server as one: on PostgreSQL three.
  ///
  /// - Returns: their delivery ids.
  @discardableResult
  public func add(
    _ connection: Connection, _ messages: [OutboxMessage], now: Int64 = WallClock.nanoseconds()
  ) throws -> [String] {
    for message in messages { try Self.check(message) }
    let store = try storeID(connection)
    switch connection.engine {
    case .sqlite: return try messages.map { deliveryID(store: store, row: try insert(connection, $0, now)) }
    case .postgresql:
      let ids = try Self.takeIDs(connection, for: messages)
      try insert(connection, messages, ids: ids, now)
      return ids.map { deliveryID(store: store, row: $0) }
    }
  }

  /// - Returns: the id that SQLite has given it.
  private func insert(_ connection: Connection, _ message: OutboxMessage, _ now: Int64) throws -> Int64 {
    try connection.withStatement(Self.insert) { statement throws(StorageError) in
      try statement.bind(message.method, at: 1)
      try statement.bind(message.key, at: 2)
      try statement.bind(Int64(message.route.rawValue), at: 3)
      try statement.bind(message.body, at: 4)
      try statement.bind(now, at: 5)
      guard try statement.step() else {
        throw StorageError(.other, "the outbox answered no id to a new row", statement: Self.insert)
      }
      let id = statement.integer(0)
      while try statement.step() {}
      return id
    }
  }

  /// How much of a commit a message takes, see ``Database/write(weight:_:)``.
  public static func weight(of message: OutboxMessage) -> Int { 1 + message.body.count / 1_024 }

  /// Which store this is: a part of its delivery ids.
  func storeID(_ connection: Connection) throws -> String {
    try connection.withStatement("SELECT store_id FROM outbox_store") { statement throws(StorageError) in
      guard try statement.step() else { throw StorageError(.corrupt, "the outbox's store has no id") }
      let id = statement.text(0)
      while try statement.step() {}
      return id
    }
  }

  func deliveryID(store: String, row: Int64) -> String { "\(service)-\(store)-\(row)" }

  static func check(_ message: OutboxMessage) throws(StorageError) {
    if message.body.count > maximumBodyBytes {
      throw StorageError(
        .constraint, "message \(message.method) has a body of \(message.body.count) bytes; at most \(maximumBodyBytes)",
        remedy: "cut it into parts")
    }
    let names = [("method", message.method, maximumMethodBytes), ("key", message.key, maximumKeyBytes)]
    for (what, name, limit) in names where name.utf8.count > limit {
      throw StorageError(
        .constraint,
        "message \(message.method.prefix(200)) has a \(what) of \(name.utf8.count) bytes; at most \(limit)")
    }
  }

  private static let insert = """
    INSERT INTO outbox (method, message_key, route, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id
    """
}
