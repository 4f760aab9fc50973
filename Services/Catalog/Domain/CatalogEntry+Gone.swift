import Commerce
import Messages
import ServiceKit

extension CatalogEntry {
  /// A product that the shop does not have any more. No message deletes: it becomes INACTIVE (connector.md §3).
  ///
  /// Made of what the store has: the type that the OMS knows, of its names the main one, and none of its attributes. The OMS needs
  /// them for orders only, and those bring their own.
  ///
  /// - Parameter id: of the shop, by which the OMS knows it; 0 for none.
  init(gone known: KnownProduct, toldAs id: Int64, _ facts: ShopFacts) {
    let row = known.row
    let children = row.childrenSKUs
    let price = Decimal(row.price)
    let message = Magento.Oms.V1.Product(
      id: id > 0 ? "\(id)" : row.sku, type: known.toldType, sku: row.sku,
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
      message, of: product, origin: row.origin, status: .inactive, imageURL: row.imageURL,
      shipsTogether: row.shipsTogether)
  }
}

extension CatalogRow {
  /// - Returns: none when the store has something else than a list there, which it never writes.
  var childrenSKUs: [String] { JSONList.texts(of: children) ?? [] }
}
