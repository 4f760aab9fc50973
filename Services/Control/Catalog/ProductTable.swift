import Messages

/// Products of the catalog.
enum ProductTable {
  static func of(_ products: [Omsconnector.V1.Product]) -> Table {
    var table = Table(
      .left("SKU"), .left("TYPE"), .left("STATUS"), .right("PRICE"), .left("NAME"), .left("EXPORTED"))
    for product in products {
      table.add(
        product.sku, product.type, product.status, price(product), MessageTable.cut(product.name, 60),
        product.exportedAt?.text ?? "not yet")
    }
    return table
  }

  /// All that is known of one, a line for each thing.
  static func details(_ product: Omsconnector.V1.Product) -> Table {
    var table = Table(.left("SKU \(product.sku)"), .left(product.status))
    func add(_ name: String, _ value: String) {
      if !value.isEmpty { table.add(name, value) }
    }
    add("name", product.name)
    add("type", product.type + (product.shipsTogether ? ", ships together" : ""))
    add("price", price(product))
    add("variants", product.childrenSkus.joined(separator: ", "))
    add("picture", product.imageUrl)
    add("id in the shop", product.productId > 0 ? "\(product.productId)" : "")
    add("changed in the shop", product.updatedAt?.text ?? "")
    add("exported", product.exportedAt?.text ?? "not yet")
    return table
  }

  /// What could not be taken over.
  /// - Parameter place: what its number counts: `LINE`, `PLACE`.
  static func of(_ issues: [Omsconnector.V1.ProductIssue], place: String) -> Table {
    var table = Table(.right(place), .left("SKU"), .left("REASON"))
    for issue in issues { table.add("\(issue.place)", issue.sku, issue.reason) }
    return table
  }

  private static func price(_ product: Omsconnector.V1.Product) -> String {
    guard let price = product.price else { return "" }
    return product.currency.isEmpty ? price.value : "\(price.value) \(product.currency)"
  }
}
