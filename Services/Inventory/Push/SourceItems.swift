import Commerce
import Messages

/// Source items as the shop has them.
enum SourceItems {
  static func body(_ rows: [PushedStock], _ code: String) -> Magento.Commerce.V1.SourceItemsBody {
    .init(
      sourceItems: rows.map {
        .init(sku: $0.row.sku, sourceCode: code, quantity: $0.quantity.message, status: $0.isInStock ? 1 : 0)
      })
  }

  /// - Returns: the SKUs of which the shop shows what was sent.
  static func shown(_ rows: [PushedStock], _ code: String, _ client: CommerceClient) async throws -> Set<String> {
    // The shop takes a comma for the end of a value.
    let asked = rows.filter { !$0.row.sku.contains(",") }
    var shown: Set<String> = []
    for start in stride(from: 0, to: asked.count, by: ShopProducts.perRequest) {
      let part = asked[start..<min(start + ShopProducts.perRequest, asked.count)]
      var criteria = SearchCriteria().where("source_code", .eq, code)
        .where("sku", .in, part.map(\.row.sku).joined(separator: ","))
      criteria.pageSize = part.count
      criteria.currentPage = 1
      let page: Magento.Commerce.V1.SourceItemPage = try await client.get(
        "V1/inventory/source-items", criteria.query)
      let items = Dictionary(page.items.map { ($0.sku, $0) }) { first, _ in first }
      for row in part {
        guard let item = items[row.row.sku], let quantity = item.quantity.flatMap({ Decimal($0) }) else { continue }
        if quantity == row.quantity, (item.status ?? 0) == (row.isInStock ? 1 : 0) { shown.insert(row.row.sku) }
      }
    }
    return shown
  }
}
