/// How the bus carries a message. The numbers are those of `omsconnector.internal.v1.BusRoute`, and are stored; one that is
/// unknown here is left to the gateway to refuse.
public struct OutboxRoute: RawRepresentable, Sendable, Equatable {
  public let rawValue: Int32
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The OMS answers itself, while the connector waits.
  public static let remote = OutboxRoute(rawValue: 1)
  /// The bus keeps the message and delivers it later.
  public static let delegate = OutboxRoute(rawValue: 2)
  /// To all subscribers.
  public static let events = OutboxRoute(rawValue: 3)
}

/// A message that a service owes the OMS.
public struct OutboxMessage: Sendable, Equatable {
  /// The bus's name of it, e.g. `magento.inventory.source_stock_management.update`.
  public let method: String
  /// Messages of one key are delivered in the order in which they were added; empty means no order.
  public let key: String
  public let route: OutboxRoute
  /// The params as JSON text, an object.
  public let body: [UInt8]

  /// What the properties say.
  public init(method: String, key: String, route: OutboxRoute, body: [UInt8]) {
    self.method = method
    self.key = key
    self.route = route
    self.body = body
  }
}

/// A message in an outbox.
public struct OutboxRow: Sendable, Equatable {
  /// The row: grows, and is never used again.
  public let id: Int64
  /// Unique for ever, among all services and stores.
  public let deliveryID: String
  public let message: OutboxMessage

  /// What the properties say.
  public init(id: Int64, deliveryID: String, message: OutboxMessage) {
    self.id = id
    self.deliveryID = deliveryID
    self.message = message
  }
}
