import Commerce
import Messages
import ServiceKit

/// Reads products of the shop with all that belongs to them: its set-up, the labels of choices, the SKUs of variants, the names of
/// other store views. What changes seldom is kept for a while; the rest is read for a whole page at a time.
struct ShopReader: Sendable {
  let client: CommerceClient
  let mapping: Mapping
  let pageSize: PageSize
  let facts: CachedReading<ShopFacts>
  let options: CachedReading<OptionLabels>
  /// Attributes that are read.
  let codes: Set<String>

  init(_ shop: Shop, _ client: CommerceClient) {
    self.client = client
    mapping = shop.mapping
    pageSize = shop.pageSize
    codes = ProductMapping.attributeCodes(shop.mapping)
    let mapping = shop.mapping
    let choices = mapping.attributes(of: .product).map(\.source).filter { !Self.columns.contains($0) }
    facts = CachedReading(for: ShopFacts.age) { try await ShopFacts.read(client, mapping) }
    options = CachedReading(for: OptionLabels.age) { try await OptionLabels.read(client, codes: choices) }
  }

  /// All products, with what is read of them: descriptions aside, most of a product are pictures, options and tier prices.
  var criteria: SearchCriteria {
    let own = ["id", "sku", "name", "type_id", "status", "price", "weight", "created_at", "updated_at"]
    // An attribute may be a column of the product's own; names that it does not have are passed over.
    let mapped = codes.subtracting(own).sorted()
    let parts = own + ["extension_attributes[configurable_product_links]", "custom_attributes"] + mapped
    return SearchCriteria().selecting("items[\(parts.joined(separator: ","))],total_count")
  }

  /// Fields of a product that are numbers or texts, not choices.
  private static let columns: Set = ["id", "sku", "name", "price", "weight", "type_id", "created_at", "updated_at"]

  /// What a page holds, and what of it can't be used, with its place in the page.
  func parse(_ items: [JSONValue]) -> (products: [ShopProduct], issues: [Issue]) {
    var (products, issues): ([ShopProduct], [Issue]) = ([], [])
    products.reserveCapacity(items.count)
    for (index, item) in items.enumerated() {
      do throws(ProductProblem) {
        products.append(try ShopProduct(item, codes: codes))
      } catch {
        issues.append(Issue(sku: error.sku, place: index + 1, reason: error.description))
      }
    }
    return (products, issues)
  }

  /// The labels of all choices in these products, as far as the shop has them.
  func labels(of products: [ShopProduct]) async throws -> OptionLabels {
    let labels = try await options.current()
    return labels.lacksSome(of: products) ? try await options.current(atMost: OptionLabels.ageForUnknown) : labels
  }

  /// Adds the products' names in other store views: a request a page and view, where several are mapped.
  func addNames(_ products: inout [ShopProduct], _ facts: ShopFacts) async throws {
    guard !facts.namedViews.isEmpty else { return }
    for view in facts.namedViews {
      let found = try await fields("name", of: products.map(\.id), store: view.code)
      for index in products.indices {
        if let name = found[products[index].id] { products[index].localNames[view.code] = name }
      }
    }
  }

  /// A text field of products by their ids; those that the shop does not have are left out.
  ///
  /// - Parameter passing: of each request so many may be left out, too, that the shop can't show.
  func fields(
    _ field: String, of ids: [Int64], store: String = "all", passing: Int = 0
  ) async throws -> [Int64: String] {
    var found: [Int64: String] = [:]
    let wanted = ids.filter { $0 > 0 }.sorted()
    // A URL has its limits, too.
    for part in stride(from: 0, to: wanted.count, by: Self.idsPerRequest).map({
      wanted[$0..<min($0 + Self.idsPerRequest, wanted.count)]
    }) {
      let list = part.map { "\($0)" }.joined(separator: ",")
      let criteria = SearchCriteria().where("entity_id", .in, list).selecting("items[id,\(field)],total_count")
      try await client.readPages(
        "V1/products", criteria, id: .product, store: store, pageSize: pageSize, passing: PassedOver(limit: passing)
      ) { page in
        for item in page.items {
          if let id = item["id"]?.integer, let text = item[field]?.string {
            found[id] = text
          }
        }
      }
    }
    return found
  }

  /// At most so many ids in a request: 4 KiB of URL with long ones, half of what servers commonly take.
  static let idsPerRequest = 300

  /// Products by their SKUs; what is not among the answers is not in the shop. Many are asked for at once.
  func products(_ skus: [String]) async throws -> [String: Result<ShopProduct, ProductProblem>] {
    var found: [String: Result<ShopProduct, ProductProblem>] = [:]
    for part in SKUSearch.parts(of: skus) {
      let criteria = criteria.where(part.filter)
      try await client.readAll("V1/products", criteria, id: .product, pageSize: pageSize) { items, _ in
        for item in items {
          guard let sku = item["sku"]?.string else { continue }
          do throws(ProductProblem) {
            found[sku] = .success(try ShopProduct(item, codes: codes))
          } catch {
            found[sku] = .failure(error)
          }
        }
      }
    }
    // Before a product is taken for gone, it is asked for by its name.
    for sku in skus where found[sku] == nil { found[sku] = try await product(sku) }
    return found
  }

  /// Those of the SKUs that the shop has.
  func present(_ skus: [String]) async throws -> Set<String> {
    var found: Set<String> = []
    for part in SKUSearch.parts(of: skus) {
      let criteria = SearchCriteria().where(part.filter).selecting("items[id,sku],total_count")
      try await client.readAll("V1/products", criteria, id: .product, pageSize: pageSize) { items, _ in
        found.formUnion(items.compactMap { $0["sku"]?.string })
      }
    }
    // The shop's database holds upper and lower case for equal; the OMS does not.
    return found.intersection(skus)
  }

  /// One product by its SKU; nil when the shop does not have it.
  private func product(_ sku: String) async throws -> Result<ShopProduct, ProductProblem>? {
    do {
      let item = try await client.getJSON("V1/products/\(CommerceClient.path(sku))").root
      do throws(ProductProblem) {
        return .success(try ShopProduct(item, codes: codes))
      } catch {
        return .failure(error)
      }
    } catch let error as CommerceError where error.kind == .notFound {
      return nil
    }
  }
}
