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
  /// when others may be at the same key: which of two transactions comes first is settled by what they both write.
  ///
  /// - Returns: the delivery id, by which journal and logs of the gateway know the message.
  /// - Throws: ``StorageError``: `constraint` when the message is larger than the limits.
  @discardableResult
  public func add(
    _ connection: Connection, _ message: OutboxMessage, now: Int64 = WallClock.nanoseconds()
  ) throws -> String {
    try Self.check(message)
    return try connection.withStatement(Self.insert) { statement throws(StorageError) in
      try statement.bind(message.method, at: 1)
      try statement.bind(message.key, at: 2)
      try statement.bind(Int64(message.route.rawValue), at: 3)
      try statement.bind(message.body, at: 4)
      try statement.bind(now, at: 5)
      guard try statement.step() else {
        throw StorageError(.other, "the outbox answered no id to a new row", statement: Self.insert)
      }
      let id = deliveryID(store: statement.text(1), row: statement.integer(0))
      while try statement.step() {}
      return id
    }
  }

  /// How much of a commit a message takes, see ``Database/write(weight:_:)``.
  public static func weight(of message: OutboxMessage) -> Int { 1 + message.body.count / 1_024 }

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
    INSERT INTO outbox (method, message_key, route, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
    RETURNING id, (SELECT store_id FROM outbox_store)
    """
}
