import Messages

extension CommerceClient {
  /// Documents of one order that are read at most; no order has more of a kind.
  public static let orderDocumentLimit = 5_000

  /// Reads all documents of a kind that were made for an order: invoices, shipments, credit memos, returns.
  ///
  /// - Parameters:
  ///   - entityID: the order's.
  ///   - read: makes one of what the shop answers.
  /// - Throws: `CommerceError` of kind unreadable when there are more than `limit`; what `read` throws.
  public func documents<Document>(
    _ route: String, ofOrder entityID: Int64, id: ShopID = .entity, pageSize: PageSize,
    limit: Int = orderDocumentLimit, _ read: (JSONValue) throws -> Document
  ) async throws -> [Document] {
    var found: [Document] = []
    try await readAll(
      route, SearchCriteria().where("order_id", .eq, "\(entityID)"), id: id, pageSize: pageSize
    ) { items, _ in
      guard found.count + items.count <= limit else {
        throw CommerceError(
          .unreadable, status: 200, request: "GET \(route)", "order \(entityID) has more than \(limit) of them")
      }
      for item in items { found.append(try read(item)) }
    }
    return found
  }
}
