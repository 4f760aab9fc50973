import Messages
import TestSupport

@testable import Commerce
@testable import Sales

/// An order as a shop would have it, with amounts that follow Magento's rules (magento-rules.md §5): rows are rounded to the
/// currency, taxes by row, discounts spread over rows, and the grand total is what they add up to.
struct RandomOrder {
  var order = Magento.Commerce.V1.Order()
  var products: [Int64: CatalogProduct] = [:]
  let places: Int
  private var random: SeededGenerator

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let currency = ["EUR", "USD", "JPY", "KWD"].randomElement(using: &random) ?? "EUR"
    places = Currency.places(of: currency)
    self.random = random
    order.entityId = Int64(seed) + 1
    order.incrementId = "\(100_000_000 + seed)"
    order.orderCurrencyCode = currency
    order.baseCurrencyCode = "USD"
    order.createdAt = "2024-02-03 04:05:06"
    order.payment = .init(entityId: 8, method: "checkmo")
    order.billingAddress = .init(entityId: 16, firstname: "A", lastname: "B", countryId: "DE")
    var total = Decimal.zero
    var physical = false
    for _ in 0..<Int.random(in: 1...6, using: &self.random) {
      switch Int.random(in: 0..<5, using: &self.random) {
      case 0:
        total += addBundle(isFixed: true)
        physical = true
      case 1:
        total += addBundle(isFixed: false)
        physical = true
      case 2:
        total += addConfigurable()
        physical = true
      case 3: total += addItem("virtual", quantity: quantity())
      default:
        total += addItem("simple", quantity: quantity())
        physical = true
      }
    }
    order.isVirtual = !physical
    if physical { total += addShipping() }
    total += addGiftWrap()
    order.grandTotal = (total - payOtherwise(of: total)).message
  }

  static let view = ShopView(websiteCode: "base", storeViewCode: "default", locale: "en_US")

  static var mapping: Mapping {
    var mapping = Mapping()
    mapping.websites["base"] = .init(channel: "EU-STORE", vatCountry: "DE")
    mapping.services = ["gift-wrap": "WRAP"]
    return mapping
  }

  /// What the customer pays, in whatever way.
  var due: Decimal {
    let extra = order.extensionAttributes
    return [order.grandTotal, extra?.giftCardsAmount, extra?.customerBalanceAmount, extra?.rewardCurrencyAmount]
      .map { $0.flatMap { Decimal($0) } ?? 0 }.sum()
  }

  private mutating func quantity() -> Decimal {
    switch Int.random(in: 0..<8, using: &random) {
    case 0: Decimal("0.75") ?? 1
    case 1: Decimal(Int.random(in: 101...500, using: &random))
    default: Decimal(Int.random(in: 1...12, using: &random))
    }
  }

  private mutating func amount(_ range: ClosedRange<Int>) -> Decimal {
    (Decimal("\(Int.random(in: range, using: &random))e-4") ?? 0).rounded(places)
  }

  /// A row's amounts: prices without tax or with it, with a discount or without, with a fixed product tax or without.
  private mutating func price(_ item: inout Magento.Commerce.V1.OrderItem, quantity: Decimal) -> Decimal {
    let rates: [Decimal] = [0, 7, 19, Decimal("8.25") ?? 8]
    let rate = rates.randomElement(using: &random) ?? 0
    let unit = amount(0...2_000_000)
    let isWithTax = Bool.random(using: &random)
    let gross = (unit * quantity).rounded(places)
    let net = isWithTax ? (gross / (1 + rate / 100)).rounded(places) : gross
    let fullTax = isWithTax ? gross - net : (net * rate / 100).rounded(places)
    let full = net + fullTax
    let percent: Decimal = Bool.random(using: &random) ? Decimal(Int.random(in: 0...100, using: &random)) : 0
    let discount = (full * percent / 100).rounded(places)
    // The tax on what is left; the compensation is the rest of the full tax (discounts apply to prices with tax).
    let tax = ((full - discount) * rate / (100 + rate)).rounded(places)
    let weee: Decimal = Int.random(in: 0..<6, using: &random) == 0 ? amount(0...50_000) : 0
    item.price = unit.message
    item.originalPrice = unit.message
    item.rowTotal = net.message
    item.taxAmount = tax.message
    item.taxPercent = rate.message
    item.discountAmount = discount.message
    item.discountPercent = percent.message
    item.discountTaxCompensationAmount = (fullTax - tax).message
    item.weeeTaxAppliedRowAmount = weee.message
    return full - discount + weee
  }

  private mutating func newItem(_ type: String, quantity: Decimal) -> Magento.Commerce.V1.OrderItem {
    let id = Int64(order.items.count + 1)
    products[id] = CatalogProduct(sku: "SKU-\(id)", isExported: true, price: amount(0...1_000_000))
    return .init(
      itemId: id, productId: id, productType: type, sku: "SKU-\(id)-option", name: "Product \(id)",
      isVirtual: type == "virtual", qtyOrdered: quantity.message)
  }

  private mutating func addItem(_ type: String, quantity: Decimal) -> Decimal {
    var item = newItem(type, quantity: quantity)
    let total = price(&item, quantity: quantity)
    order.items.append(item)
    return total
  }

  private mutating func addConfigurable() -> Decimal {
    let quantity = quantity()
    var parent = newItem("configurable", quantity: quantity)
    let total = price(&parent, quantity: quantity)
    order.items.append(parent)
    var child = newItem("simple", quantity: quantity)
    child.parentItemId = parent.itemId
    order.items.append(child)
    return total
  }

  private mutating func addBundle(isFixed: Bool) -> Decimal {
    let count = Decimal(Int.random(in: 1...4, using: &random))
    var parent = newItem("bundle", quantity: count)
    var total = isFixed ? price(&parent, quantity: count) : 0
    order.items.append(parent)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let quantity = count * Decimal(Int.random(in: 1...3, using: &random))
      var child = newItem("simple", quantity: quantity)
      child.parentItemId = parent.itemId
      if !isFixed { total += price(&child, quantity: quantity) }
      order.items.append(child)
    }
    return total
  }

  private mutating func addShipping() -> Decimal {
    let net = amount(0...200_000)
    let tax = (net * 19 / 100).rounded(places)
    let discount = Bool.random(using: &random) ? (net / 2).rounded(places) : 0
    order.shippingAmount = net.message
    order.shippingTaxAmount = tax.message
    order.shippingDiscountAmount = discount.message
    order.shippingDescription = "Flat Rate - Fixed"
    order.extensionAttributes = .init(
      shippingAssignments: [
        .init(shipping: .init(address: .init(entityId: 15, countryId: "DE"), method: "flatrate_flatrate"))
      ])
    return net + tax - discount
  }

  private mutating func addGiftWrap() -> Decimal {
    guard Int.random(in: 0..<4, using: &random) == 0 else { return 0 }
    let price = amount(1...100_000)
    let tax = (price * 19 / 100).rounded(places)
    var extra = order.extensionAttributes ?? .init()
    extra.gwPrice = price.message
    extra.gwTaxAmount = tax.message
    order.extensionAttributes = extra
    return price + tax
  }

  /// Gift cards, store credit and reward points.
  private mutating func payOtherwise(of total: Decimal) -> Decimal {
    guard Int.random(in: 0..<3, using: &random) == 0 else { return 0 }
    let parts = (total / 4).rounded(places)
    var extra = order.extensionAttributes ?? .init()
    extra.giftCards = [.init(id: 3, code: "SECRETCODE1234", amount: parts.message, baseAmount: parts.message)]
    extra.giftCardsAmount = parts.message
    extra.customerBalanceAmount = parts.message
    order.extensionAttributes = extra
    return parts + parts
  }
}
