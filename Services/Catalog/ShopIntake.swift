import Commerce
import Messages
import ServiceKit
import Storage

/// Takes over products of the shop: looks up what belongs to them, makes them the OMS's, and stores what has changed with the
/// messages that tell of it.
struct ShopIntake: Sendable {
  let reader: ShopReader
  let store: CatalogStore
  /// Told when messages have been added.
  let added: @Sendable () -> Void

  /// A page of products, as polling reads it: what can't be used is logged, and does not keep the others from going on.
  func takePage(_ items: [JSONValue]) async throws {
    let page = reader.parse(items)
    let issues = page.issues + (try await take(page.products, origin: .shop).issues)
    for issue in issues.prefix(10) {
      Log.warning("a product of the shop can't be exported", ["sku": "\(issue.sku)", "reason": "\(issue.reason)"])
    }
  }

  /// - Returns: what was done, and what could not be taken over; its place is that in the list.
  func take(
    _ products: [ShopProduct], origin: CatalogEntry.Origin
  ) async throws -> (outcome: TakeOverOutcome, issues: [Issue]) {
    let (entries, facts, issues) = try await entries(of: products, origin: origin)
    let outcome = try await store.takeOver(entries, facts: facts)
    if outcome.exported > 0 || outcome.deactivated > 0 { added() }
    return (outcome, issues)
  }

  /// The products as the OMS will see them.
  func entries(
    of products: [ShopProduct], origin: CatalogEntry.Origin
  ) async throws -> (entries: [CatalogEntry], facts: ShopFacts, issues: [Issue]) {
    let facts = try await reader.facts.current()
    let labels = try await reader.labels(of: products)
    var products = products
    try await reader.addNames(&products, facts)
    let children = try await children(of: products)
    let mapping = ProductMapping(reader.mapping, facts)
    let reserved = ReservedSKUs(reader.mapping)
    var (entries, issues): ([CatalogEntry], [Issue]) = ([], [])
    entries.reserveCapacity(products.count)
    for (index, product) in products.enumerated() {
      if let problem = reserved.problem(of: product) {
        issues.append(Issue(sku: product.sku, place: index + 1, reason: problem))
        continue
      }
      let variants = product.childSKUs + product.childIDs.compactMap { children[$0] }
      let from = product.id > 0 ? .shop : origin
      entries.append(mapping.entry(of: product, origin: from, children: variants) { labels.label($0, $1) })
    }
    return (entries, facts, issues)
  }

  /// SKUs of the variants: those that came along, else those that are known, else the shop's. One that the shop does not have any
  /// more is left out.
  private func children(of products: [ShopProduct]) async throws -> [Int64: String] {
    let wanted = Set(products.flatMap(\.childIDs))
    if wanted.isEmpty { return [:] }
    var found: [Int64: String] = [:]
    for product in products where wanted.contains(product.id) { found[product.id] = product.sku }
    var missing = wanted.filter { found[$0] == nil }
    found.merge(try await store.skus(ofIDs: missing.sorted())) { first, _ in first }
    missing = missing.filter { found[$0] == nil }
    found.merge(try await reader.fields("sku", of: missing.sorted())) { first, _ in first }
    return found
  }
}

/// SKUs that stand for shipping methods and services: a product of the same SKU would take their place at the OMS.
struct ReservedSKUs: Sendable {
  private let skus: Set<String>

  init(_ mapping: Mapping) { skus = Set(mapping.shipping.values.map(\.sku)).union(mapping.services.values) }

  /// - Returns: nil when nothing is wrong.
  func problem(of product: ShopProduct) -> String? {
    guard skus.contains(product.sku), !["shipping", "service"].contains(product.type) else { return nil }
    return
      "the mapping file gives SKU \"\(quotable(product.sku))\" to a shipping method or a service; give that another one"
  }
}
