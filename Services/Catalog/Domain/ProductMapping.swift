import Commerce
import Messages

/// From a product of the shop to one of the OMS (messages.md §4.2). Pure: what has to be looked up is given.
///
/// Decided where the rules are silent:
/// - The OMS has no gift cards: a virtual one is `virtual`, one with a card is `simple`. A type of an extension is `simple`.
/// - Only configurable products have children; the parts of bundles and sets come as lines of the order.
/// - A disabled product is INACTIVE. An enabled one is ACTIVE, unless an attribute is mapped to the name `status` and says
///   `Outlet` or `End of life`.
/// - The weight is sent as the attribute `weight`, which carriers want, unless the mapping gives it another name.
/// - The values of a multiple choice are joined with `|`, as the shop's own files do.
struct ProductMapping: Sendable {
  /// The OMS's attribute by which a product is put on another safety stock.
  static let statusName = "status"
  /// Attributes that are read whatever the mapping says.
  private static let always = ["image", "shipment_type", "giftcard_type"]

  let attributes: [(source: String, name: String)]
  let facts: ShopFacts

  init(_ mapping: Mapping, _ facts: ShopFacts) {
    attributes = mapping.attributes(of: .product)
    self.facts = facts
  }

  /// Codes of the attributes that are read of a product.
  static func attributeCodes(_ mapping: Mapping) -> Set<String> {
    Set(always + mapping.attributes(of: .product).map(\.source))
  }

  /// - Parameters:
  ///   - children: SKUs of the variants.
  ///   - said, known: of a product of a file what it says, and what is known of the rest.
  ///   - label: what an attribute's value is called; nil when it stands for itself.
  func entry(
    of product: ShopProduct, origin: CatalogEntry.Origin, children: [String], said: FileProduct? = nil,
    _ known: KnownProduct? = nil, label: (_ code: String, _ value: String) -> String?
  ) -> CatalogEntry {
    let status = status(of: product, known, label)
    var message = Magento.Oms.V1.Product(
      id: product.id > 0 ? "\(product.id)" : product.sku,
      type: Self.type(product.type, giftCard: product.attribute("giftcard_type")), sku: product.sku,
      status: status.rawValue, name: names(of: product), price: price(of: product),
      createdAt: Self.text(product.createdAt),
      modifiedAt: Self.text(product.updatedAt), childrenSkus: product.type == "configurable" ? children : [],
      customAttributes: customAttributes(of: product, label), enabled: status != .inactive)
    if let said, let known { complete(&message, of: product, said, known) }
    let image = product.attributes["image"] == nil ? known?.row.imageURL : nil
    let ships = product.attributes["shipment_type"] == nil ? known?.row.shipsTogether : nil
    return CatalogEntry(
      message, of: product, origin: origin, status: status,
      imageURL: image ?? facts.imageURL(product.attribute("image")),
      shipsTogether: product.type == "bundle" && (ships ?? (product.attribute("shipment_type") == "0")))
  }

  /// The OMS's type of a product.
  ///
  /// - Parameters:
  ///   - type: the shop's.
  ///   - card: of a gift card what the shop says of it: 0 virtual, 1 physical, 2 both; nil when that is not known.
  static func type(_ type: String, giftCard card: String?) -> String {
    switch type {
    case "simple", "configurable", "bundle", "grouped", "virtual", "downloadable", "shipping", "service": type
    case "giftcard": ["1", "2"].contains(card) ? "simple" : "virtual"
    default: "simple"
    }
  }

  private func status(
    of product: ShopProduct, _ known: KnownProduct?, _ label: (String, String) -> String?
  ) -> ProductStatus {
    guard product.isEnabled else { return .inactive }
    let source = attributes.first { $0.name == Self.statusName }?.source
    if let known, let status = ProductStatus(rawValue: known.row.status), status != .inactive,
      source.map({ product.attributes[$0] == nil }) ?? false
    {
      return status
    }
    guard let source, let value = product.attribute(source),
      let status = ProductStatus(label: label(source, value) ?? value)
    else { return .active }
    return status
  }

  private func price(of product: ShopProduct) -> Magento.Oms.V1.ProductPrice? {
    guard let price = product.price, !facts.currency.isEmpty else { return nil }
    return .init(currency: facts.currency, amount: price.message)
  }

  /// The main one first; those of other views where they differ from it.
  private func names(of product: ShopProduct) -> [Magento.Oms.V1.LocalizedName] {
    let main = facts.main
    let own = main.flatMap { product.localNames[$0.code] } ?? product.name
    // Without a name the OMS shows the SKU (messages.md §4.2).
    let first = Magento.Oms.V1.LocalizedName(
      value: own.isEmpty ? product.sku : own, channel: main?.channel ?? "", locale: main?.locale ?? "")
    let others = facts.namedViews.compactMap { view -> Magento.Oms.V1.LocalizedName? in
      guard view != main, let name = product.localNames[view.code], !name.isEmpty, name != first.value else {
        return nil
      }
      return .init(value: name, channel: view.channel, locale: view.locale)
    }
    return [first] + others
  }

  private func customAttributes(
    of product: ShopProduct, _ label: (String, String) -> String?
  ) -> [Magento.Oms.V1.CustomAttribute] {
    var found = attributes.compactMap { source, name -> (name: String, value: String)? in
      if name == Self.statusName { return nil }
      if source == "weight" { return product.weight.map { (name, $0.text) } }
      guard let values = product.attributes[source], !values.isEmpty else { return nil }
      return (name, values.map { label(source, $0) ?? $0 }.joined(separator: "|"))
    }
    if let weight = product.weight, !attributes.contains(where: { $0.source == "weight" }) {
      found.append((weightName, weight.text))
    }
    return found.filter { !$0.value.isEmpty }.map { .init(name: $0.name, attributeCode: $0.name, value: $0.value) }
  }

  /// What the weight is called at the OMS.
  var weightName: String { attributes.first { $0.source == "weight" }?.name ?? "weight" }

  /// ISO 8601 with an offset; empty when not known.
  private static func text(_ seconds: Int64?) -> String {
    guard let seconds else { return "" }
    return ShopTime.text(seconds).replacing(" ", with: "T") + "+00:00"
  }
}
