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
    let shown = try await ShownStock.read(rows.map(\.row.sku), of: code, client)
    return Set(
      rows.filter { shown[$0.row.sku] == ShownStock(quantity: $0.quantity, isInStock: $0.isInStock) }.map(\.row.sku))
  }
}
