import ServiceKit
import Stubs

/// The service of products and shipping methods. So far it starts, is healthy and reports timings; its calls come with
/// what they are for.
@main struct CatalogMain {
  static let service = ServiceDescription(
    name: "catalog", summary: "products and shipping methods between the shop and the OMS")

  static func main() {
    ServiceRunner.run(service) { setup in
      MessageConsumer(service: service.name, methods: [], timings: setup.timings).register(in: &setup.router)
    }
  }
}
