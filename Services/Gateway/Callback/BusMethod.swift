/// A message of the service bus that the connector consumes: subscribed to at registration, and handed to one service.
struct BusMethod: Sendable {
  let name: String
  let service: ConnectorService
  /// Where in the params the key stands: messages of one key are consumed in order.
  let keyPath: [String]
  /// The OMS waits for the result itself: messages.md §2, "Mode".
  var isAlwaysSynchronous = false

  /// Every method that a service consumes. Source of the names: messages.md §2.
  static let all = [
    BusMethod(
      name: "magento.inventory.aggregate_stock_management.updated", service: .inventory,
      keyPath: ["snapshot", "aggregate_id"]),
    BusMethod(
      name: "magento.logistics.warehouse_management.request_shipment", service: .sales, keyPath: ["order_id"]),
    // A question: in no order with what changes something.
    BusMethod(
      name: "magento.logistics.carrier_management.request_shipping_details", service: .sales, keyPath: [],
      isAlwaysSynchronous: true),
  ]

  /// Exactly that name: no prefix, no other case. A message that went to the wrong handler once stopped a whole queue
  /// (connector.md §6, "Poison message").
  static func named(_ name: String) -> BusMethod? { byName[name] }

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
