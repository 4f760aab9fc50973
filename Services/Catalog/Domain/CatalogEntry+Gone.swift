import Commerce
import Messages
import ServiceKit

extension CatalogEntry {
  /// A product that the shop does not have any more. No message deletes: it becomes INACTIVE (connector.md §3).
  ///
  /// Made of what the store has: of its names the main one, and none of its attributes. The OMS needs them for orders only, and
  /// those bring their own.
  init(gone row: CatalogRow, _ facts: ShopFacts) {
    let children = row.childrenSKUs
    let price = Decimal(row.price)
    let wireType = ["giftcard"].contains(row.type) ? "virtual" : row.type
    let message = Magento.Oms.V1.Product(
      id: row.productID > 0 ? "\(row.productID)" : row.sku, type: wireType, sku: row.sku,
      status: ProductStatus.inactive.rawValue,
      name: [.init(value: row.name, channel: facts.main?.channel ?? "", locale: facts.main?.locale ?? "")],
      price: price.flatMap { row.currency.isEmpty ? nil : .init(currency: row.currency, amount: $0.message) },
      modifiedAt: "", childrenSkus: children, enabled: false)
    var product = ShopProduct(sku: row.sku)
    product.id = row.productID
    product.type = row.type
    product.price = price
    product.updatedAt = row.updatedAt > 0 ? row.updatedAt : nil
    self.init(
      message, of: product, origin: Origin(rawValue: row.origin) ?? .shop, status: .inactive, imageURL: row.imageURL,
      shipsTogether: row.shipsTogether)
  }
}

extension CatalogRow {
  /// - Returns: none when the store has something else than a list there, which it never writes.
  var childrenSKUs: [String] { JSONList.texts(of: children) ?? [] }
}
