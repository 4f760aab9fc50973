import ServiceKit
import Stubs

/// The service of returns and refunds. So far it starts, is healthy and reports timings; its calls come with what
/// they are for.
@main struct PostSalesMain {
  static let service = ServiceDescription(
    name: "post-sales", summary: "returns and refunds between the shop and the OMS")

  static func main() {
    ServiceRunner.run(service) { setup in
      MessageConsumer(service: service.name, methods: [], timings: setup.timings).register(in: &setup.router)
    }
  }
}
