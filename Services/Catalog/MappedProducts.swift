import Commerce
import EventLoop
import Messages
import ServiceKit
import Storage

/// Shipping methods and services of the mapping file as entries of the OMS's catalog (connector.md §3): an order's lines name
/// their SKUs. Told when the service starts, where they have changed; what the file does not name any more becomes INACTIVE.
struct MappedProducts: Sendable {
  let mapping: Mapping
  let store: CatalogStore

  /// By their SKUs: several methods of the shop may be one of the OMS.
  var products: [ShopProduct] {
    var found: [String: ShopProduct] = [:]
    for (kind, sku) in mapping.services {
      var product = ShopProduct(sku: sku)
      (product.type, product.name) = ("service", Self.names[kind] ?? kind)
      found[sku] = product
    }
    for (_, method) in mapping.shipping.sorted(by: { $0.key > $1.key }) {
      var product = ShopProduct(sku: method.sku)
      (product.type, product.name) = ("shipping", method.name)
      found[method.sku] = product
    }
    return found.values.sorted { $0.sku < $1.sku }
  }

  private static let names = ["fee": "Fee", "gift-wrap": "Gift wrap"]

  /// Returns when it is durable.
  ///
  /// - Parameter sendsAll: whether the OMS is sent what has not changed, too.
  func export(_ facts: ShopFacts, sendsAll: Bool = false) async throws -> TakeOverOutcome {
    let mapped = ProductMapping(mapping, facts)
    let entries = products.map { mapped.entry(of: $0, origin: .mapping, children: []) { _, _ in nil } }
    let (store, skus) = (store, Set(entries.map(\.sku)))
    return try await store.takeOver(entries, sendsAll: sendsAll, facts: facts) { connection, _ in
      let known = try connection.withStatement("SELECT sku FROM product WHERE origin = 'mapping' AND status = 'ACTIVE'")
      {
        statement in
        var known: [String] = []
        while try statement.step() { known.append(statement.text(0)) }
        return known
      }
      _ = try store.deactivate(connection, skus: known.filter { !skus.contains($0) }, facts: facts)
    }
  }
}
