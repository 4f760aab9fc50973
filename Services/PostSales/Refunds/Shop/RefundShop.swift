import Commerce
import Messages

/// The shop, as refunds need it.
protocol RefundShop: Sendable {
  /// - Throws: `CommerceError`.
  func books(ofOrder entityID: Int64) async throws -> ShopBooks

  /// Makes a credit memo. Never sent twice: whoever isn't answered reads the books.
  ///
  /// - Returns: its id.
  func make(_ memo: MemoRequest, ofOrder entityID: Int64, mark: String, notify: Bool) async throws -> Int64
}

/// The shop's REST API (magento-rest.md §5).
struct RESTRefundShop: RefundShop {
  let client: CommerceClient
  let pageSize: PageSize

  /// The order and its documents are read one after the other, and an invoice may be made in between: what is left of an item is
  /// only right where the order is the same behind them as before.
  func books(ofOrder entityID: Int64) async throws -> ShopBooks {
    var order = try await order(entityID)
    for _ in 0..<Self.readings {
      let books = ShopBooks(
        order: order, invoices: try await documents("V1/invoices", "invoice", ofOrder: entityID),
        memos: try await documents("V1/creditmemos", "credit memo", ofOrder: entityID))
      let again = try await self.order(entityID)
      if again == order { return try books.checked() }
      order = again
    }
    throw CommerceError(
      .failed, status: 200, request: "GET V1/orders/\(entityID)",
      "the order has changed each of \(Self.readings) times while its documents were read")
  }

  /// Of an order that keeps changing.
  static let readings = 5

  private func order(_ entityID: Int64) async throws -> ShopOrder {
    try ShopOrder(try await client.getJSON("V1/orders/\(entityID)").root)
  }

  private func documents(_ route: String, _ kind: String, ofOrder entityID: Int64) async throws -> [ShopDocument] {
    try await client.documents(route, ofOrder: entityID, pageSize: pageSize) { try ShopDocument($0, kind: kind) }
  }

  func make(_ memo: MemoRequest, ofOrder entityID: Int64, mark: String, notify: Bool) async throws -> Int64 {
    let route = memo.invoiceID.map { "V1/invoice/\($0)/refund" } ?? "V1/order/\(entityID)/refund"
    // Nothing goes back to stock: the OMS never changes stock because of a return (connector.md §2.10). The shop's automatic
    // restock does so all the same, which pushing the SKUs anew makes good.
    let body = Magento.Commerce.V1.RefundBody(
      items: memo.items.map { .init(orderItemId: $0.id, qty: $0.quantity.message) },
      isOnline: memo.invoiceID != nil, notify: notify,
      comment: .init(comment: mark, isVisibleOnFront: 0),
      arguments: .init(
        shippingAmount: memo.shipping.message, adjustmentPositive: memo.positive.message,
        adjustmentNegative: memo.negative.message))
    let answer = try await client.sendJSON("POST", route, body).root
    guard let id = answer.integer else {
      throw CommerceError(.unreadable, status: 200, request: "POST \(route)", "the answer is no id of a credit memo")
    }
    return id
  }
}
