/// A message of the service bus that the connector consumes: subscribed to at registration, and handed to one service.
struct BusMethod: Sendable {
  let name: String
  let service: ConnectorService
  /// Where in the params the key stands: messages of one key are consumed in order.
  let keyPath: [String]
  /// The OMS waits for the result itself: messages.md §2, "Mode".
  var isAlwaysSynchronous = false
  /// Services that get it in place of `service` when it names a delivery of theirs.
  var senders: [ConnectorService] = []

  /// Every method that a service consumes. Source of the names: messages.md §2.
  static let all = stock + orders + logistics + payments + afterSales

  private static let stock = [
    BusMethod(
      name: "magento.inventory.aggregate_stock_management.updated", service: .inventory,
      keyPath: ["snapshot", "aggregate_id"]),
    BusMethod(name: "magento.inventory.source_management.created", service: .inventory, keyPath: ["source", "id"]),
    BusMethod(name: "magento.inventory.source_management.updated", service: .inventory, keyPath: ["source", "id"]),
    BusMethod(name: "magento.inventory.source_management.deleted", service: .inventory, keyPath: ["source_id"]),
  ]

  private static let orders = [
    BusMethod(name: "magento.sales.order_management.created", service: .sales, keyPath: ["order", "id"]),
    BusMethod(name: "magento.sales.order_management.updated", service: .sales, keyPath: ["order", "id"]),
    BusMethod(name: "magento.sales.order_management.line_cancelled", service: .sales, keyPath: ["order_id"]),
    BusMethod(
      name: "magento.sales.order_management.custom_attributes_updated", service: .sales,
      keyPath: ["custom_attributes_modification", "order_id"]),
    BusMethod(
      name: "magento.sales.order_management.line_custom_attributes_updated", service: .sales,
      keyPath: ["line_custom_attributes_modification", "order_id"]),
    BusMethod(
      name: "magento.sales.order_management.shipping_address_updated", service: .sales,
      keyPath: ["shipping_address_modification", "order_id"]),
    // It names a delivery, not what that was about.
    BusMethod(
      name: "magento.common.error_management.created", service: .sales, keyPath: [], senders: [.postSales]),
  ]

  private static let logistics = [
    BusMethod(
      name: "magento.logistics.fulfillment_management.customer_shipment_done", service: .sales,
      keyPath: ["shipment", "order_id"]),
    BusMethod(
      name: "magento.logistics.warehouse_management.request_shipment", service: .sales, keyPath: ["order_id"]),
    // A question: in no order with what changes something.
    BusMethod(
      name: "magento.logistics.carrier_management.request_shipping_details", service: .sales, keyPath: [],
      isAlwaysSynchronous: true),
  ]

  private static let payments = ["validate", "revalidate", "capture", "cancel", "refund"].map { command in
    BusMethod(
      name: "magento.payments.payments_management.\(command)", service: .sales, keyPath: ["payment", "order_id"])
  }

  private static let afterSales = [
    BusMethod(
      name: "magento.postsales.return_management.updated", service: .postSales, keyPath: ["return", "order_id"]),
    BusMethod(
      name: "magento.postsales.return_management.custom_attributes_updated", service: .postSales,
      keyPath: ["custom_attributes_modification", "order_id"]),
    BusMethod(
      name: "magento.postsales.return_management.line_custom_attributes_updated", service: .postSales,
      keyPath: ["line_custom_attributes_modification", "order_id"]),
    BusMethod(
      name: "magento.postsales.refund_management.updated", service: .postSales, keyPath: ["refund", "order_id"]),
    BusMethod(
      name: "magento.postsales.refund_management.custom_attributes_updated", service: .postSales,
      keyPath: ["custom_attributes_modification", "order_id"]),
  ]

  /// Exactly that name: no prefix, no other case. A message that went to the wrong handler once stopped a whole queue
  /// (connector.md §6, "Poison message").
  static func named(_ name: String) -> BusMethod? { byName[name] }

  /// Who is to consume a message: delivery ids of an outbox begin with its service's name.
  func service(of request: JSONRPCRequest) -> ConnectorService {
    guard !senders.isEmpty, let delivery = request.string(at: ["delivery_id"]) else { return service }
    return senders.first { delivery.hasPrefix("\($0.rawValue)-") } ?? service
  }

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
}
