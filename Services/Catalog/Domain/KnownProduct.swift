import Commerce
import Messages

/// A product as the OMS was last told of it: what a file does not say stays so.
struct KnownProduct: Sendable {
  let row: CatalogRow
  let told: Magento.Oms.V1.Product

  init(_ row: CatalogRow, told: [UInt8]) throws {
    self.row = row
    self.told = try Magento.Oms.V1.Product(serialized: told)
  }

  /// The type by which the OMS knows it.
  var toldType: String {
    // What an earlier version told is not stored.
    told.type.isEmpty ? ProductMapping.type(row.type, giftCard: nil) : told.type
  }
}

extension FileProduct {
  /// The product with what the file does not say taken from what is known.
  ///
  /// - Throws: for a new product without a name or a type, which the shop's own import refuses too.
  func product(_ known: KnownProduct?) throws(ProductProblem) -> ShopProduct {
    guard let name = name ?? known?.row.name else { throw ProductProblem(sku, "is new, and the file gives it no name") }
    guard let type = type ?? known?.row.type ?? supposedType else {
      throw ProductProblem(sku, "is new, and the file gives it no product_type")
    }
    var product = ShopProduct(sku: sku)
    product.id = known?.row.productID ?? 0
    product.name = name
    product.type = type
    product.isEnabled = isEnabled ?? (known?.row.status != ProductStatus.inactive.rawValue)
    product.price = price ?? known.flatMap { Decimal($0.row.price) }
    product.weight = weight
    product.createdAt = createdAt
    product.childSKUs = childSKUs ?? known?.row.childrenSKUs ?? []
    product.attributes = attributes
    product.localNames = localNames
    return product
  }
}

extension ProductMapping {
  /// The entry of a product of a file.
  ///
  /// - Throws: when the file says too little of a new one.
  func entry(of file: FileProduct, _ known: KnownProduct?) throws(ProductProblem) -> CatalogEntry {
    let product = try file.product(known)
    // A file has labels where the shop has ids.
    let entry = entry(of: product, origin: .csv, children: product.childSKUs, said: file, known) { _, _ in nil }
    guard let known else { return entry }
    var merged = entry
    // The file does not say when the shop changed it.
    merged.updatedAt = known.row.updatedAt > 0 ? known.row.updatedAt : nil
    return merged
  }

  /// Fills in what a file does not say.
  func complete(
    _ message: inout Magento.Oms.V1.Product, of product: ShopProduct, _ file: FileProduct, _ known: KnownProduct
  ) {
    let told = known.told
    if file.price == nil, let price = told.price { message.price = price }
    if let price = file.price, message.price == nil, let known = told.price {
      message.price = .init(currency: known.currency, amount: price.message)
    }
    if message.createdAt.isEmpty { message.createdAt = told.createdAt }
    if product.type == known.row.type, product.type == "giftcard", product.attributes["giftcard_type"] == nil {
      message.type = known.toldType
    }
    completeNames(&message, told)
    let said = Set(attributes.filter { file.attributes[$0.source] != nil }.map(\.name))
      .union(file.weight == nil && !file.emptiesWeight ? [] : [weightName])
    // What is not mapped any more is not sent any more. In the order of a whole product, so that the same counts as the same.
    let order = attributes.map(\.name) + [weightName]
    let all = message.customAttributes + told.customAttributes.filter { !said.contains($0.name) }
    message.customAttributes = order.compactMap { name in all.first { $0.name == name } }
  }

  private func completeNames(_ message: inout Magento.Oms.V1.Product, _ told: Magento.Oms.V1.Product) {
    guard let first = message.name.first else { return }
    if facts.main == nil, let known = told.name.first {
      (message.name[0].channel, message.name[0].locale) = (known.channel, known.locale)
    }
    message.name += told.name.dropFirst().filter { other in
      other.value != first.value && !message.name.contains { $0.channel == other.channel && $0.locale == other.locale }
    }
  }
}
