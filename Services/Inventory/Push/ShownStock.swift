import Commerce
import Messages

/// What the shop shows of a SKU's stock.
struct ShownStock: Sendable, Equatable {
  var quantity: Decimal
  var isInStock: Bool

  /// In words. Whether it can be bought is told where the quantity doesn't tell it.
  var text: String {
    if isInStock == (quantity > .zero) { return quantity.text }
    return quantity.text + (isInStock ? ", in stock" : ", out of stock")
  }
}

extension ShownStock {
  /// By SKU as it was asked for, without those that the shop doesn't have.
  static func read(
    _ skus: some Collection<String>, by route: PushRoute, _ client: CommerceClient
  ) async throws -> [String: ShownStock] {
    switch route {
    case .source(let code, _): return try await read(skus, of: code, client)
    case .stockItem:
      var shown: [String: ShownStock] = [:]
      for sku in skus { shown[sku] = try await readItem(sku, client) }
      return shown
    }
  }

  /// SKUs of one request of ``read(_:by:_:)``.
  static func perRequest(_ route: PushRoute) -> Int {
    switch route {
    case .source: ShopProducts.perRequest
    case .stockItem: 1
    }
  }

  /// What a source holds.
  static func read(
    _ skus: some Collection<String>, of code: String, _ client: CommerceClient
  ) async throws -> [String: ShownStock] {
    var shown: [String: ShownStock] = [:]
    for part in SKUSearch.parts(of: skus, atMost: ShopProducts.perRequest) {
      try await read(part, code, client, &shown)
    }
    return shown
  }

  private static func read(
    _ part: SKUSearch, _ code: String, _ client: CommerceClient, _ shown: inout [String: ShownStock]
  ) async throws {
    var criteria = SearchCriteria().where("source_code", .eq, code).where(part.filter)
    criteria.pageSize = part.skus.count
    criteria.currentPage = 1
    let page: Magento.Commerce.V1.SourceItemPage = try await client.get("V1/inventory/source-items", criteria.query)
    // To the shop's database, upper and lower case are the same.
    let items = Dictionary(page.items.map { ($0.sku.lowercased(), $0) }) { first, _ in first }
    for sku in part.skus {
      guard let item = items[sku.lowercased()] else { continue }
      guard let quantity = item.quantity.flatMap({ Decimal($0) }) else {
        throw unreadable("V1/inventory/source-items", sku, item.quantity?.value)
      }
      shown[sku] = ShownStock(quantity: quantity, isInStock: (item.status ?? 0) == 1)
    }
  }

  /// Without multi-source inventory; nil for a product that is gone.
  private static func readItem(_ sku: String, _ client: CommerceClient) async throws -> ShownStock? {
    let route = "V1/stockItems/\(CommerceClient.path(sku))"
    do {
      let item = try await client.getJSON(route).root
      let text = item["qty"]?.scalar
      guard let quantity = text.flatMap({ Decimal($0) }) else { throw unreadable(route, sku, text) }
      return ShownStock(quantity: quantity, isInStock: ["true", "1"].contains(item["is_in_stock"]?.text ?? ""))
    } catch let error as CommerceError where error.kind == .notFound {
      return nil
    }
  }

  private static func unreadable(_ route: String, _ sku: String, _ quantity: String?) -> CommerceError {
    CommerceError(
      .unreadable, status: 200, request: "GET \(route)",
      "the quantity of SKU \(sku) is \"\(quantity ?? "")\", which is no number")
  }
}
