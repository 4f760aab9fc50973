import Commerce
import Messages

/// One thing that was sold, with the order item that documents of the shop name for it (magento-rules.md §1 and §2).
struct SoldItem: Equatable {
  /// As in connector.md §2.2, "Line kinds".
  enum Kind: String, Equatable, Sendable {
    case physical = "PHYSICAL"
    case virtual = "VIRTUAL"
    case bundle = "BUNDLE"
    case service = "SERVICE"
    case shipping = "SHIPPING"
  }

  /// The shop's order item: of a configurable product the parent, whose child only says which variant it was.
  var itemID: Int64
  /// Of a configurable product the variant's.
  var productID: Int64
  /// The catalog's SKU, which the item's own may differ from (magento-rules.md §4).
  var sku: String
  var name: String
  var kind: Kind
  var quantity: Decimal
  var amounts: RowAmounts
  /// Of one unit, before discounts.
  var originalPrice: Decimal
  var discountPercent: Decimal
  var taxes: [AppliedTax] = []
  var imageURL: String?
  /// Of a bundle.
  var children: [SoldItem] = []
  /// Of a bundle: whether it leaves the warehouse as one.
  var isShippedTogether = false

  struct AppliedTax: Equatable {
    var type: String
    var rate: Decimal
    var amount: Decimal
  }
}

/// What the catalog knows of a product that an order names.
struct CatalogProduct: Equatable, Sendable {
  var sku: String
  /// Whether the OMS has it.
  var isExported: Bool
  var price: Decimal
  var imageURL: String?
  /// `shipment_type` of a bundle: 0 together, 1 separately.
  var isShippedTogether = false
}

extension SoldItem {
  /// The things sold by an order, in its order.
  ///
  /// - Parameter products: by the shop's product id.
  static func items(
    of order: Magento.Commerce.V1.Order, products: [Int64: CatalogProduct], places: Int
  ) throws(ExportHold) -> [SoldItem] {
    var children: [Int64: [Magento.Commerce.V1.OrderItem]] = [:]
    for item in order.items where item.parentItemId != 0 { children[item.parentItemId, default: []].append(item) }
    // Documents of the shop name items by their ids alone.
    var ids: Set<Int64> = []
    for item in order.items where !ids.insert(item.itemId).inserted {
      throw .unreadable(field: "item \(item.itemId)", reason: "is in the order twice")
    }
    let taxes = try appliedTaxes(of: order, "product")
    var sold: [SoldItem] = []
    for item in order.items where item.parentItemId == 0 {
      let parts = children[item.itemId] ?? []
      switch item.productType {
      case "configurable":
        guard parts.count == 1 else {
          throw .unreadable(
            field: "item \(item.itemId)", reason: "is configurable and has \(parts.count) variants instead of one")
        }
        var variant = try SoldItem(item, products, taxes, product: parts[0])
        variant.kind = parts[0].isVirtual ? .virtual : .physical
        sold.append(variant)
      case "bundle":
        var bundle = try SoldItem(item, products, taxes)
        bundle.kind = .bundle
        bundle.children = []
        for part in parts { bundle.children.append(try SoldItem(part, products, taxes)) }
        guard !bundle.children.isEmpty else {
          throw .unreadable(field: "item \(item.itemId)", reason: "is a bundle of nothing")
        }
        sold.append(bundle.withPricesInChildren(parts.map { products[$0.productId]?.price ?? 0 }, places: places))
      default: sold.append(try SoldItem(item, products, taxes))
      }
    }
    return sold
  }

  /// By order item; those of shipping have the item 0.
  static func appliedTaxes(
    of order: Magento.Commerce.V1.Order, _ type: String
  ) throws(ExportHold) -> [Int64: [AppliedTax]] {
    var taxes: [Int64: [AppliedTax]] = [:]
    let number = NumberReader("item_applied_taxes")
    for applied in order.extensionAttributes?.itemAppliedTaxes ?? [] where applied.type == type {
      for tax in applied.appliedTaxes {
        taxes[applied.itemId, default: []].append(
          AppliedTax(
            type: tax.code.isEmpty ? tax.title : tax.code, rate: try number(tax.percent, "percent"),
            amount: try number(tax.amount, "amount")))
      }
    }
    return taxes
  }

  /// - Parameter product: the item whose product it is: of a configurable one the child.
  private init(
    _ item: Magento.Commerce.V1.OrderItem, _ products: [Int64: CatalogProduct], _ taxes: [Int64: [AppliedTax]],
    product: Magento.Commerce.V1.OrderItem? = nil
  ) throws(ExportHold) {
    let product = product ?? item
    guard let known = products[product.productId], known.isExported else {
      throw .notInCatalog(sku: products[product.productId]?.sku ?? product.sku)
    }
    let number = NumberReader("item \(item.itemId)")
    let quantity = try number(item.qtyOrdered, "qty_ordered")
    guard quantity > 0 else { throw .unreadable(field: "item \(item.itemId): qty_ordered", reason: "is \(quantity)") }
    itemID = item.itemId
    productID = product.productId
    sku = known.sku
    name = item.name
    kind = item.isVirtual || ["virtual", "downloadable"].contains(item.productType) ? .virtual : .physical
    self.quantity = quantity
    amounts = try RowAmounts(item)
    originalPrice = try number(item.originalPrice ?? item.price, "original_price")
    discountPercent = try number(item.discountPercent, "discount_percent")
    self.taxes = taxes[item.itemId] ?? []
    imageURL = known.imageURL
    isShippedTogether = known.isShippedTogether
  }

  /// A fixed price is the parent's in the shop and the children's at the OMS, where a bundle costs 0 (connector.md §2.3): it is
  /// spread by catalog price × quantity, in equal parts if all are 0, with the parent's tax rate (magento-rules.md §6).
  private func withPricesInChildren(_ prices: [Decimal], places: Int) -> SoldItem {
    var bundle = self
    bundle.amounts = .zero
    bundle.originalPrice = 0
    bundle.taxes = []
    // A bundle with dynamic prices has its money in its children already.
    guard amounts != .zero, !(amounts.gross.isZero && amounts.tax.isZero && amounts.discount.isZero) else {
      return bundle
    }
    guard children.allSatisfy({ $0.amounts.gross.isZero && $0.amounts.discount.isZero }) else { return bundle }
    // Held to the limit, so that the sum of however many stays within what a number can hold.
    let weights = zip(children, prices).map { min($0.quantity * max($1, 0), .limit) }
    for (index, share) in amounts.spread(over: weights, places: places).enumerated() {
      bundle.children[index].amounts = share
      bundle.children[index].discountPercent = discountPercent
      bundle.children[index].originalPrice =
        ((share.gross + share.discount) / bundle.children[index].quantity).rounded(places)
    }
    return bundle
  }
}
