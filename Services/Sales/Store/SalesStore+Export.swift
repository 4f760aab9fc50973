import Storage

/// What becomes of an order on its way to the OMS.
extension SalesStore {
  /// The OMS has the order: it owns it from now on. Does nothing to an order that it has already, or has made itself.
  ///
  /// - Returns: false when there is no such order.
  @discardableResult
  func markAccepted(
    _ connection: Connection, _ incrementID: String, now: Int64 = WallClock.nanoseconds()
  ) throws -> Bool {
    guard var order = try order(connection, incrementID) else { return false }
    guard order.exportState != .accepted, order.exportState != .foreign else { return true }
    order.exportState = .accepted
    order.reason = ""
    order.acceptedAt = now
    try save(connection, order, now: now)
    try removeContent(connection, of: incrementID)
    // What the shop is sent of its products counts units by whether the OMS knows the order (magento-rules.md §4).
    try StockPushRequest.queue.add(connection, incrementID)
    return true
  }

  /// The OMS says that it can't take the order: by its status ERROR with the reason IMPORTFAIL. It stays, may be exported again, and
  /// needs an operator.
  ///
  /// - Returns: false when there is no such order.
  @discardableResult
  func markFailed(_ connection: Connection, _ incrementID: String, reason: String) throws -> Bool {
    guard var order = try order(connection, incrementID) else { return false }
    guard order.exportState != .foreign else { return true }
    order.exportState = .failed
    order.reason = reason
    try save(connection, order)
    return true
  }

  /// The OMS refused a delivery (`error_management`). It is the order's failure when that is the order's last `create`, and the OMS
  /// has not confirmed it: a second one of an order that it has may well be refused.
  ///
  /// - Returns: the order that failed by it; nil when the delivery is none of an order's.
  func markFailed(_ connection: Connection, deliveryID: String, reason: String) throws -> SalesOrder? {
    guard var order = try order(connection, deliveryID: deliveryID) else { return nil }
    guard order.exportState == .sent || order.exportState == .unconfirmed else { return order }
    order.exportState = .failed
    order.reason = reason
    try save(connection, order)
    return order
  }

  /// Makes orders UNCONFIRMED that were sent before a time and are not confirmed.
  ///
  /// - Parameters:
  ///   - sentBefore: nanoseconds since 1970.
  ///   - limit: at most this many.
  /// - Returns: their increment ids.
  func markUnconfirmed(
    _ connection: Connection, sentBefore: Int64, limit: Int, reason: String, now: Int64 = WallClock.nanoseconds()
  ) throws -> [String] {
    let overdue = try connection.withStatement(
      """
      SELECT increment_id FROM sales_order WHERE export_state = \(ExportState.sent.rawValue) AND sent_at < ?1
      ORDER BY created_at, increment_id LIMIT ?2
      """
    ) { statement in
      try statement.bind(sentBefore, at: 1)
      try statement.bind(Int64(limit), at: 2)
      var ids: [String] = []
      while try statement.step() { ids.append(statement.text(0)) }
      return ids
    }
    return try connection.withStatement(
      """
      UPDATE sales_order SET export_state = \(ExportState.unconfirmed.rawValue), reason = ?3, updated_at = ?4
      WHERE increment_id = ?1 AND export_state = \(ExportState.sent.rawValue) AND sent_at < ?2
      """
    ) { statement in
      try statement.bind(sentBefore, at: 2)
      try statement.bind(reason, at: 3)
      try statement.bind(now, at: 4)
      return try overdue.filter { id in
        try statement.bind(id, at: 1)
        // It may have been confirmed, or sent again, by another replica meanwhile.
        return try statement.run() == 1
      }
    }
  }

  /// Replaces all lines of an order: it is about to be sent, and what was counted out before is void.
  func replaceLines(_ connection: Connection, of incrementID: String, with lines: [SalesLine]) throws {
    try delete(connection, from: "sales_line", incrementID)
    try save(connection, lines, of: incrementID)
  }

  /// Forgets an order that the OMS has never heard of, with all that was noted of it: one of that number that is seen again starts anew.
  func remove(_ connection: Connection, _ incrementID: String) throws {
    for table in [
      "sales_order", "sales_order_content", "sales_line", "sales_attribute", "sales_parcel", "sales_document",
      "sales_step", "sales_comment", "sales_told_address",
    ] {
      try delete(connection, from: table, incrementID)
    }
  }

  // MARK: The shop's order

  /// The shop's order as JSON, as it was last read; nil when it is not kept any more.
  func content(_ connection: Connection, of incrementID: String) throws -> [UInt8]? {
    try connection.withStatement("SELECT content FROM sales_order_content WHERE increment_id = ?1") { statement in
      try statement.bind(incrementID, at: 1)
      return try statement.step() ? statement.blob(0) : nil
    }
  }

  /// - Parameter content: without whole gift-card codes, see ``ShopOrder``.
  func saveContent(_ connection: Connection, of incrementID: String, _ content: [UInt8]) throws {
    try connection.withStatement(
      """
      INSERT INTO sales_order_content (increment_id, content) VALUES (?1, ?2)
      ON CONFLICT (increment_id) DO UPDATE SET content = excluded.content
      """
    ) { statement throws(StorageError) in
      try statement.bind(incrementID, at: 1)
      try statement.bind(content, at: 2)
      _ = try statement.run()
    }
  }

  func removeContent(_ connection: Connection, of incrementID: String) throws {
    try delete(connection, from: "sales_order_content", incrementID)
  }

  private func delete(_ connection: Connection, from table: String, _ incrementID: String) throws {
    try connection.withStatement("DELETE FROM \(table) WHERE increment_id = ?1") { statement throws(StorageError) in
      try statement.bind(incrementID, at: 1)
      _ = try statement.run()
    }
  }
}
