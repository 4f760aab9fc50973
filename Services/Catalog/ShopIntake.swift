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
    noteTaken(outcome)
    return (outcome, issues)
  }

  /// Products of a client that claim the id of another one, which would become INACTIVE, though the shop does not say so: their
  /// places in the list, and what is wrong.
  func wrongIDs(of products: [ShopProduct]) async throws -> [Int: String] {
    let known = try await store.skus(ofIDs: products.map(\.id))
    let renamed = products.indices.filter { index in
      known[products[index].id].map { $0 != products[index].sku } ?? false
    }
    if renamed.isEmpty { return [:] }
    let inShop = try await reader.fields("sku", of: renamed.map { products[$0].id })
    var wrong: [Int: String] = [:]
    for index in renamed {
      let (id, sku) = (products[index].id, products[index].sku)
      guard inShop[id] != sku else { continue }
      let other = inShop[id].map { "the shop has it for \"\(quotable($0))\"" } ?? "the shop has no product of that id"
      wrong[index] =
        "id \(id) is \"\(quotable(known[id] ?? ""))\" so far, and \(other); send the product as the shop has it"
    }
    return wrong
  }

  /// What is to be done once products are taken over.
  func noteTaken(_ outcome: TakeOverOutcome) {
    if outcome.exported > 0 || outcome.deactivated > 0 { added() }
    if outcome.held > 0 {
      Log.error(
        "products have other SKUs in the shop than before; they are too many to be made INACTIVE: check COMMERCE_URL, then "
          + "decide: omsctl catalog held", ["products": LogValue(outcome.held)])
    }
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

  /// Variants of a request that the shop may fail to show.
  private static let passedOver = 10

  /// SKUs of the variants: those that came along, else those that are known, else the shop's. One that the shop does not have any
  /// more, or can't show, is left out.
  private func children(of products: [ShopProduct]) async throws -> [Int64: String] {
    let wanted = Set(products.flatMap(\.childIDs))
    if wanted.isEmpty { return [:] }
    var found: [Int64: String] = [:]
    for product in products where wanted.contains(product.id) { found[product.id] = product.sku }
    var missing = wanted.filter { found[$0] == nil }
    found.merge(try await store.skus(ofIDs: missing.sorted())) { first, _ in first }
    missing = missing.filter { found[$0] == nil }
    let shown = try await reader.fields("sku", of: missing.sorted(), passing: Self.passedOver)
    return found.merging(shown) { first, _ in first }
  }
}

/// SKUs that stand for shipping methods and services: a product of the same SKU would take their place at the OMS.
struct ReservedSKUs: Sendable {
  private let skus: Set<String>

  init(_ mapping: Mapping) { skus = Set(mapping.shipping.values.map(\.sku)).union(mapping.services.values) }

  /// - Returns: nil when nothing is wrong.
  func problem(of product: ShopProduct) -> String? { problem(of: product.sku, type: product.type) }

  /// - Parameter type: nil when it is not known.
  func problem(of sku: String, type: String?) -> String? {
    guard skus.contains(sku), !["shipping", "service"].contains(type) else { return nil }
    return
      "the mapping file gives SKU \"\(quotable(sku))\" to a shipping method or a service; give that another one"
  }
}
