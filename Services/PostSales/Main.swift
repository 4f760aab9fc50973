import ServiceKit

/// The service of returns and refunds. So far it starts, is healthy and reports timings; its calls come with what they are for.
@main struct PostSalesMain {
  static func main() {
    ServiceRunner.run(
      ServiceDescription(name: "post-sales", summary: "returns and refunds between the shop and the OMS")
    ) { _ in }
  }
}
