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

  func books(ofOrder entityID: Int64) async throws -> ShopBooks {
    let order = try ShopOrder(try await client.getJSON("V1/orders/\(entityID)").root)
    return ShopBooks(
      order: order, invoices: try await documents("V1/invoices", "invoice", ofOrder: entityID),
      memos: try await documents("V1/creditmemos", "credit memo", ofOrder: entityID))
  }

  private func documents(_ route: String, _ kind: String, ofOrder entityID: Int64) async throws -> [ShopDocument] {
    var documents: [ShopDocument] = []
    let criteria = SearchCriteria().where("order_id", .eq, "\(entityID)")
    try await client.readAll(route, criteria, pageSize: pageSize) { items, _ in
      for item in items { documents.append(try ShopDocument(item, kind: kind)) }
    }
    return documents
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
    guard let id = Int64(answer.string ?? answer.text) else {
      throw CommerceError(.unreadable, status: 200, request: "POST \(route)", "the answer is no id of a credit memo")
    }
    return id
  }
}
