import ServiceKit
import Stubs

/// The service of orders, shipments and invoices. So far it starts, is healthy and reports timings; its calls come with
/// what they are for.
@main struct SalesMain {
  static let service = ServiceDescription(
    name: "sales", summary: "orders, shipments and invoices between the shop and the OMS")

  static func main() {
    ServiceRunner.run(service) { setup in
      MessageConsumer(service: service.name, methods: [], timings: setup.timings).register(in: &setup.router)
    }
  }
}
