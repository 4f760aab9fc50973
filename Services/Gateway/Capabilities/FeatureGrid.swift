import Messages

/// What the connector is there for: the features of the Connector's grid, in its order, and the functions of the shop that are
/// disabled or modified while the OMS owns orders, stock, returns and refunds (connector.md §2 and §9).
enum FeatureGrid {
  struct Entry: Sendable {
    let name: String
    let title: String
    /// Those that have a part in it; none for what the gateway does alone.
    let services: [ConnectorService]
  }

  static let autoRegistration = "auto-registration"

  static let features = [
    Entry(name: autoRegistration, title: "Auto-registration to API", services: []),
    Entry(name: "order-export", title: "Order export", services: [.catalog, .sales]),
    Entry(name: "bundle-products", title: "Bundle products", services: [.catalog, .sales]),
    Entry(name: "partial-shipment", title: "Partial shipment", services: [.sales]),
    Entry(name: "gift-cards", title: "Gift cards", services: [.sales, .postSales]),
    Entry(name: "logistics-import", title: "Logistics import", services: [.sales]),
    Entry(name: "partial-capture", title: "Partial capture", services: [.sales]),
    Entry(name: "multi-location-inventory", title: "Multi-location inventory", services: [.inventory]),
    Entry(name: "store-credit", title: "Store credit", services: [.sales, .postSales]),
    Entry(name: "refunds-and-returns", title: "Refunds and returns", services: [.postSales]),
    Entry(
      name: "simple-and-configurable-products", title: "Simple and configurable products",
      services: [.catalog, .sales]),
    Entry(name: "virtual-products", title: "Virtual products", services: [.catalog, .inventory, .sales]),
    Entry(name: "custom-order-attributes", title: "Custom order attributes", services: [.sales, .postSales]),
    Entry(name: "custom-product-attributes", title: "Custom product attributes", services: [.catalog]),
  ]

  static let functions = [
    Entry(name: "order-management", title: "Order management: read-only after export", services: [.sales]),
    Entry(name: "returns-and-refunds", title: "Returns and refunds: started at the OMS", services: [.postSales]),
    Entry(name: "inventory", title: "Inventory: quantity and stock status are the OMS's", services: [.inventory]),
    Entry(
      name: "shipping-and-payment-methods", title: "Shipping and payment methods: those that are mapped",
      services: [.catalog, .sales]),
    Entry(name: "default-stock", title: "Default stock: ignored, aggregates count", services: [.inventory]),
    Entry(name: "full-catalog-export", title: "Full catalog export", services: [.catalog]),
    Entry(name: "product-stock-view", title: "Product stock view: per aggregate", services: [.inventory]),
  ]
}

extension FeatureGrid.Entry {
  /// The parts of all who have one, put together: it is as good as the worst of them.
  ///
  /// - Parameter parts: by service; nil of one that does not answer.
  func united(_ parts: (ConnectorService) -> Omsconnector.V1.Capability??) -> Omsconnector.V1.Capability {
    var all: [Omsconnector.V1.Capability] = []
    for service in services {
      switch parts(service) {
      case .some(.some(let part)): all.append(part)
      case .some(.none):
        all.append(
          .init(
            state: .unavailable, detail: "the \(service) service says nothing of it",
            remedy: "see that all services are of one version"))
      case .none:
        all.append(
          .init(
            state: .unavailable, detail: "the \(service) service does not answer",
            remedy: "see that it runs: omsctl status"))
      }
    }
    return united(all)
  }

  func united(_ parts: [Omsconnector.V1.Capability]) -> Omsconnector.V1.Capability {
    let worst = parts.map(\.state).max { $0.badness < $1.badness } ?? .unavailable
    func joined(_ texts: [String]) -> String {
      var seen: Set<String> = []
      return texts.filter { !$0.isEmpty && seen.insert($0).inserted }.joined(separator: "; ")
    }
    return .init(
      name: name, title: title, state: worst, detail: joined(parts.map(\.detail)),
      remedy: joined(parts.map(\.remedy)))
  }
}

extension Omsconnector.V1.CapabilityState {
  fileprivate var badness: Int {
    switch self {
    case .active: 0
    case .degraded: 1
    case .notConfigured: 2
    default: 3
    }
  }
}

extension Omsconnector.V1.FindingLevel {
  /// The worst is the largest.
  var badness: Int {
    switch self {
    case .error: 2
    case .warning: 1
    default: 0
    }
  }
}
