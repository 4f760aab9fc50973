import Commerce
import Messages

/// The shop, as following the OMS needs it: each request is sent once, and none decides anything.
protocol FulfilmentShop: Sendable {
  /// The order with everything that was made from it.
  func read(_ entityID: Int64) async throws -> OrderInShop
  /// - Returns: the invoice's id.
  func invoice(_ entityID: Int64, _ step: ShopPlan.Invoice) async throws -> Int64
  /// - Parameters:
  ///   - source: of the shop; nil without multi-source inventory.
  ///   - notify: whether the shop tells the customer by mail.
  /// - Returns: the shipment's id.
  func ship(_ entityID: Int64, _ step: ShopPlan.Ship, source: String?, notify: Bool) async throws -> Int64
  /// - Returns: false when the shop refuses, which it does with HTTP 200 (magento-rules.md §3).
  func cancel(_ entityID: Int64) async throws -> Bool
  /// - Parameter status: one of the order's state; nil leaves it as it is.
  func comment(_ entityID: Int64, _ text: String, status: String?) async throws
  /// What has been said on the order.
  func comments(_ entityID: Int64) async throws -> [String]
}

/// By the REST API.
struct ShopLink: FulfilmentShop {
  let pageSize: PageSize
  let client: CommerceClient

  func read(_ entityID: Int64) async throws -> OrderInShop {
    let order: Magento.Commerce.V1.Order = try await client.get(CommerceClient.path("V1", "orders", "\(entityID)"))
    async let invoices: [Magento.Commerce.V1.Invoice] = documents("V1/invoices", of: entityID)
    async let shipments: [Magento.Commerce.V1.ShipmentDocument] = documents("V1/shipments", of: entityID)
    async let memos: [Magento.Commerce.V1.Creditmemo] = documents("V1/creditmemos", of: entityID)
    async let transactions: [Magento.Commerce.V1.Transaction] = documents(
      "V1/transactions", of: entityID, id: "transaction_id")
    return try await OrderInShop(
      order, invoices: invoices, shipments: shipments, creditMemos: memos, transactions: transactions)
  }

  private func documents<M: Message & Sendable>(
    _ route: String, of entityID: Int64, id: ShopID = .entity
  ) async throws -> [M] {
    try await client.documents(route, ofOrder: entityID, id: id, pageSize: pageSize) { try M(json: $0) }
  }

  func invoice(_ entityID: Int64, _ step: ShopPlan.Invoice) async throws -> Int64 {
    let body = Magento.Commerce.V1.InvoiceOrderBody(
      capture: step.capture, items: Self.items(step.quantities), notify: false, appendComment: true,
      comment: .init(comment: step.marker))
    return try Self.id(try await client.sendJSON("POST", "V1/order/\(entityID)/invoice", body))
  }

  func ship(_ entityID: Int64, _ step: ShopPlan.Ship, source: String?, notify: Bool) async throws -> Int64 {
    var body = Magento.Commerce.V1.ShipOrderBody(
      items: Self.items(step.quantities), notify: notify, appendComment: true, comment: .init(comment: step.marker),
      tracks: step.tracks.map { .init(trackNumber: $0.number, title: $0.title, carrierCode: "custom") })
    if let source { body.arguments = .init(extensionAttributes: .init(sourceCode: source)) }
    return try Self.id(try await client.sendJSON("POST", "V1/order/\(entityID)/ship", body))
  }

  func cancel(_ entityID: Int64) async throws -> Bool {
    try await client.sendEmpty("POST", "V1/orders/\(entityID)/cancel").root.text == "true"
  }

  func comment(_ entityID: Int64, _ text: String, status: String?) async throws {
    let body = Magento.Commerce.V1.OrderCommentBody(
      statusHistory: .init(comment: text, status: status ?? "", entityName: "order"))
    _ = try await client.sendJSON("POST", "V1/orders/\(entityID)/comments", body)
  }

  func comments(_ entityID: Int64) async throws -> [String] {
    let page: Magento.Commerce.V1.StatusHistoryPage = try await client.get("V1/orders/\(entityID)/comments")
    return page.items.map(\.comment)
  }

  private static func items(_ quantities: [Int64: Decimal]) -> [Magento.Commerce.V1.DocumentItem] {
    quantities.sorted { $0.key < $1.key }.map { .init(orderItemId: $0.key, qty: $0.value.message) }
  }

  private static func id(_ answer: JSONDocument) throws(CommerceError) -> Int64 {
    guard let id = answer.root.integer else {
      throw CommerceError(
        .unreadable, status: 200, request: "a document of an order",
        "the answer \(answer.root.text.prefix(80)) is no id")
    }
    return id
  }
}
