import Commerce
import Messages

/// Credits what a customer has paid with gift cards and the like (magento-rules.md §6). Magento's own REST API has no way to do
/// so: a module of the shop has.
protocol StoreCredit: Sendable {
  /// - Parameters:
  ///   - amount: in the order's currency.
  ///   - reference: what is credited once, however often it is asked for.
  func credit(_ amount: Decimal, to order: ShopOrder, reference: String) async throws
}

/// By a companion module's route, which promises that a reference is credited once:
/// `{"customer_id", "order_id", "increment_id", "amount", "currency", "reference"}`.
struct CompanionStoreCredit: StoreCredit {
  let client: CommerceClient
  let route: String

  func credit(_ amount: Decimal, to order: ShopOrder, reference: String) async throws {
    _ = try await client.sendText(
      "POST", route,
      """
      {"customer_id":\(order.customerID),"order_id":\(order.entityID),\
      "increment_id":\(JSONText.quoted(order.incrementID)),"amount":\(amount.text),\
      "currency":\(JSONText.quoted(order.currencies.order)),"reference":\(JSONText.quoted(reference))}
      """)
  }
}
