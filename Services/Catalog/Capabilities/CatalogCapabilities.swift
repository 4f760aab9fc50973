import Commerce
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What the catalog can do now, from what is configured and running.
struct CatalogCapabilities: Omsconnector.Internal.V1.CapabilityService {
  typealias Capability = Omsconnector.V1.Capability

  let shop: Shop
  /// nil without a shop.
  let intake: ShopIntake?
  let poll: ShopPoll?
  let store: CatalogStore
  let runs: RunStore

  func listCapabilities(
    _ request: Omsconnector.Internal.V1.ListCapabilitiesRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListCapabilitiesResponse {
    do {
      let counts = try await store.typeCounts()
      let last = try await runs.last()
      let held = try await store.database.read { try HeldProduct.counts($0) }
      return .init(features: features(counts), functions: functions(counts, last, held.missing + held.renamed))
    } catch {
      throw RPCError(catalog: error)
    }
  }

  private func features(_ counts: [String: Int]) -> [Capability] {
    func known(_ types: [String]) -> String {
      types.map { "\(counts[$0] ?? 0) \($0)" }.joined(separator: ", ")
    }
    var attributes = capability("custom-product-attributes", "Custom product attributes", attributesDetail)
    if shop.mapping.attributes(of: .product).isEmpty, attributes.state != .notConfigured {
      attributes.state = .notConfigured
      attributes.detail = "the mapping file names no attribute of products"
      attributes.remedy = "add a line such as: attribute product color = colour"
    }
    return [
      capability(
        "order-export", "Order export",
        "orders wait until their products are exported, which \(counts.values.reduce(0, +)) are"),
      capability(
        "simple-and-configurable-products", "Simple and configurable products",
        "\(known(["simple", "configurable"])) products known"),
      capability("virtual-products", "Virtual products", "\(known(["virtual", "downloadable"])) products known"),
      capability("bundle-products", "Bundle products", "\(known(["bundle"])) products known"),
      attributes,
    ]
  }

  private var attributesDetail: String {
    let names = shop.mapping.attributes(of: .product).map {
      $0.source == $0.name ? $0.name : "\($0.source) as \($0.name)"
    }
    return "sent with each product: \(names.joined(separator: ", "))"
  }

  private func functions(_ counts: [String: Int], _ last: CatalogRun?, _ held: Int) -> [Capability] {
    var export = capability("full-catalog-export", "Full catalog export", Self.text(of: last))
    let isWaiting = last.map { $0.state == .running && !$0.reason.isEmpty } ?? false
    if export.state == .active, isWaiting || held > 0 {
      export.state = .degraded
      export.remedy = "see omsctl doctor"
    }
    if held > 0 { export.detail += "; \(held) products that seem to be gone wait for you" }
    let methods = shop.mapping.shipping.sorted { $0.key < $1.key }.map { "\($0.key) as \($0.value.sku)" }
    return [
      export,
      capability(
        "shipping-and-payment-methods", "Shipping and payment methods",
        "in the catalog of the OMS: \(methods.joined(separator: ", "))"),
    ]
  }

  private static func text(of run: CatalogRun?) -> String {
    guard let run, run.read > 0 || run.state == .running else { return "none has run yet" }
    let state = run.state == .running ? "runs" : "has ended"
    // What was held when it ended may be decided by now.
    let reason = run.reason.isEmpty || run.state != .running ? "" : "; \(run.reason)"
    return
      "the last \(run.kind == .full ? "full export" : "reconciliation") \(state): \(run.read) of \(run.total) products "
      + "read, \(run.exported) exported, \(run.deactivated) made inactive, \(run.failed) failed\(reason)"
  }

  /// All that comes of the shop is as good as the reading of it.
  private func capability(_ name: String, _ title: String, _ detail: String) -> Capability {
    guard let poll else {
      return .init(
        name: name, title: title, state: .notConfigured, detail: "no shop is configured",
        remedy: "set COMMERCE_URL and COMMERCE_TOKEN of the catalog service")
    }
    let status = poll.status
    if let failure = status.failure {
      return .init(
        name: name, title: title, state: .degraded, detail: "\(detail); the shop can't be read now: \(failure)",
        remedy: "see omsctl doctor")
    }
    return .init(name: name, title: title, state: .active, detail: detail)
  }
}

extension CatalogStore {
  /// Products that are not INACTIVE, by type.
  func typeCounts() async throws -> [String: Int] {
    try await database.read { connection in
      try connection.withStatement("SELECT type, count(*) FROM product WHERE status <> 'INACTIVE' GROUP BY type") {
        statement in
        var counts: [String: Int] = [:]
        while try statement.step() { counts[statement.text(0)] = Int(statement.integer(1)) }
        return counts
      }
    }
  }
}
