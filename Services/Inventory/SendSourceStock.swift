import Messages
import ServiceKit
import Storage

/// Tells the OMS of the stock of sources, by the outbox.
struct SendSourceStock: Sendable {
  /// messages.md §2: stock of a source, from its owner to the OMS.
  static let update = "magento.inventory.source_stock_management.update"
  static let adjust = "magento.inventory.source_stock_management.adjust"

  let database: Database
  let outbox: Outbox
  /// Told when messages have been added.
  let added: @Sendable () -> Void

  /// - Parameter request: what makes the call the same as another one; nil for none.
  /// - Throws: ``StorageError``, or ``RequestIDReused``.
  func callAsFunction(
    _ snapshot: SourceSnapshot, request: Delivery?
  ) async throws -> Omsconnector.V1.UpdateSourceStockResponse {
    try await add(snapshot.messages(), request) { .init(snapshot, deliveryIDs: $0) }
  }

  /// As for a snapshot.
  func callAsFunction(
    _ adjustment: SourceAdjustment, request: Delivery?
  ) async throws -> Omsconnector.V1.AdjustSourceStockResponse {
    try await add(adjustment.messages(), request) { .init(deliveryIds: $0, sent: Int64(adjustment.rows.count)) }
  }

  /// Returns when the messages are durable, together with the note of the request and its reply. Messages of one call are about one
  /// source; replicas that tell of the same one wait for each other, as its messages get their ids one after the other.
  private func add<Reply: Message>(
    _ messages: [OutboxMessage], _ request: Delivery?, reply: @escaping @Sendable ([String]) -> Reply
  ) async throws -> Reply {
    let outbox = outbox
    let weight = messages.reduce(0) { $0 + Outbox.weight(of: $1) }
    let bytes = try await database.write(weight: weight, key: messages.first?.key) { connection -> [UInt8] in
      let send = { (connection: Connection) -> (value: Void, result: [UInt8]) in
        ((), reply(try outbox.add(connection, messages)).serialized())
      }
      guard let request else { return try send(connection).result }
      return try Inbox.once(connection, request, effect: send).result
    }
    added()
    return try Reply(serialized: bytes)
  }
}
