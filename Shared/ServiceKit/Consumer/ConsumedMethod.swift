import Messages
import RPC
import Storage

/// A method of the bus, and how its messages are consumed.
public struct ConsumedMethod: Sendable {
  /// The exact name, e.g. `magento.inventory.aggregate_stock_management.updated`.
  public let name: String
  let consume: @Sendable (Omsconnector.Internal.V1.ConsumeRequest, TraceContext) async throws -> [UInt8]

  /// A method whose messages change the store. The change and the note that the message has been consumed commit together
  /// (``Inbox``), so that a message that comes again is answered alike and changes nothing.
  ///
  /// - Parameters:
  ///   - database: with ``Inbox/migration`` and ``Inbox/keyMigration`` in its schema.
  ///   - prepare: reads and checks a message, on a loop. It throws `MessageError`, or what ``MessageConsumer``'s `status`
  ///     knows.
  public init<Value: Sendable>(
    _ name: String, in database: Database,
    prepare: @escaping @Sendable (Omsconnector.Internal.V1.ConsumeRequest, TraceContext) throws -> MessageEffect<Value>
  ) {
    self.name = name
    consume = { request, trace in
      let effect = try prepare(request, trace)
      let delivery = Delivery(
        id: request.deliveryId, method: request.method, replay: request.replay, body: request.body)
      let key = effect.key ?? (request.key.isEmpty ? nil : request.key)
      let outcome = try await database.write(weight: effect.weight, key: key, isolation: effect.isolation) {
        connection in
        try Inbox.once(connection, delivery) { connection in
          let value = try effect.apply(connection)
          return (value, effect.result(value))
        }
      }
      switch outcome {
      case .done(let value, let result):
        effect.committed(value)
        return result
      case .known(let result):
        Log.debug(
          "message was consumed before",
          ["delivery_id": .deliveryID(request.deliveryId), "method": "\(name)"], trace: trace)
        return result
      }
    }
  }
}

/// What one message changes.
public struct MessageEffect<Value: Sendable>: Sendable {
  let weight: Int
  let key: String?
  let isolation: Isolation?
  let apply: @Sendable (Connection) throws -> Value
  let result: @Sendable (Value) -> [UInt8]
  let committed: @Sendable (Value) -> Void

  /// - Parameters:
  ///   - weight: how much of a commit it takes, see ``Database/write(weight:key:_:)``.
  ///   - key: what it is about, see there; nil for the message's key.
  ///   - isolation: see there.
  ///   - apply: makes the change; what it throws leaves the store as it was.
  ///   - result: the JSON text to answer.
  ///   - committed: told once the change is durable, and not when the message has been consumed before.
  public init(
    weight: Int = 1, key: String? = nil, isolation: Isolation? = nil,
    apply: @escaping @Sendable (Connection) throws -> Value,
    result: @escaping @Sendable (Value) -> [UInt8], committed: @escaping @Sendable (Value) -> Void = { _ in }
  ) {
    self.weight = weight
    self.key = key
    self.isolation = isolation
    self.apply = apply
    self.result = result
    self.committed = committed
  }
}
