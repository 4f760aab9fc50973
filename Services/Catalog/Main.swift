import ServiceKit

/// The service of products and shipping methods. So far it starts, is healthy and reports timings; its calls come with
/// what they are for.
@main struct CatalogMain {
  static let service = ServiceDescription(
    name: "catalog", summary: "products and shipping methods between the shop and the OMS")

  static func main() {
    ServiceRunner.run(service) { _ in }
  }
}
