/// The services behind the gateway.
enum ConnectorService: String, Sendable, CaseIterable, CustomStringConvertible {
  case catalog
  case inventory
  case sales
  case postSales = "post-sales"

  /// As in reports and socket names.
  var description: String { rawValue }

  /// The public gRPC services that it serves and the gateway forwards.
  var publicServices: [String] {
    switch self {
    case .catalog: ["omsconnector.v1.CatalogService"]
    case .inventory: ["omsconnector.v1.InventoryService"]
    case .sales: ["omsconnector.v1.SalesService"]
    case .postSales: ["omsconnector.v1.PostSalesService"]
    }
  }
}
