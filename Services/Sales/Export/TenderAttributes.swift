import Commerce
import Messages

/// Gift cards, store credit and reward points are discounts to the OMS: lines keep their price, and these attributes of the order
/// say what was paid so (connector.md §2.5 and §2.9, magento-rules.md §6). Whole codes never leave the shop.
///
/// Their names are those of the shop's fields, unless the mapping file says otherwise: `attribute order gift_cards = NAME`.
enum TenderAttributes {
  static let sources: Set<String> = [
    "gift_cards", "gift_cards_amount", "customer_balance_amount", "reward_currency_amount", "reward_points_balance",
  ]

  static func values(of order: Magento.Commerce.V1.Order, _ mapping: Mapping) -> [(name: String, value: String)] {
    guard let extra = order.extensionAttributes else { return [] }
    let names = Dictionary(mapping.attributes(of: .order).map { ($0.source, $0.name) }) { first, _ in first }
    var attributes: [(name: String, value: String)] = []
    let cards = extra.giftCards.map { card in
      GiftCard(id: card.id, lastFour: String(card.code.suffix(4)), amount: card.amount, baseAmount: card.baseAmount)
        .json
    }
    if !cards.isEmpty { attributes.append((names["gift_cards"] ?? "gift_cards", "[\(cards.joined(separator: ","))]")) }
    for (name, amount) in [
      ("gift_cards_amount", extra.giftCardsAmount), ("customer_balance_amount", extra.customerBalanceAmount),
      ("reward_currency_amount", extra.rewardCurrencyAmount), ("reward_points_balance", extra.rewardPointsBalance),
    ] {
      guard let number = amount.flatMap({ Decimal($0) }), !number.isZero else { continue }
      attributes.append((names[name] ?? name, number.text))
    }
    return attributes
  }

  /// As much of a gift card as may be told.
  private struct GiftCard {
    let id: Int64
    let lastFour: String
    let amount: Google.Types.Decimal?
    let baseAmount: Google.Types.Decimal?

    var json: String {
      func number(_ value: Google.Types.Decimal?) -> String { value.flatMap { Decimal($0) }?.text ?? "0" }
      let digits = JSONText.quoted(lastFour)
      return
        "{\"id\":\(id),\"code_last4\":\(digits),\"amount\":\(number(amount)),\"base_amount\":\(number(baseAmount))}"
    }
  }
}
