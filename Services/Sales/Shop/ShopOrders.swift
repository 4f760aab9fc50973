import Commerce
import Messages

/// Reads orders from the shop.
struct ShopOrders: Sendable {
  let client: CommerceClient

  /// nil when the shop has no such order.
  ///
  /// - Throws: `CommerceError`, ``UnreadableOrder``.
  func order(_ incrementID: String) async throws -> ShopOrder? {
    var criteria = SearchCriteria().where("increment_id", .eq, incrementID)
    criteria.pageSize = 2
    let answer = try await client.getJSON("V1/orders", criteria.query).root
    guard let items = answer["items"]?.elements ?? (answer["items"]?.kind == .null ? [] : nil) else {
      throw CommerceError(.unreadable, status: 200, request: "GET V1/orders", "items are missing")
    }
    // The shop's database compares without case and accents.
    guard let item = items.first(where: { $0["increment_id"]?.string == incrementID }) else { return nil }
    return try ShopOrder(item)
  }
}
