import Messages
import Storage

extension StockStore {
  /// Makes a SKU's entry older than any message.
  ///
  /// - Returns: the entry; nil when there is none.
  func resetTimestamp(aggregateId: String, sku: String) async throws -> Stock? {
    let isKnown = try await database.write(key: aggregateId) { connection in
      try connection.withStatement(
        "UPDATE \(StockSchema.table) SET created_on = 0, by_nonzero = 0 WHERE aggregate_id = ?1 AND sku = ?2"
      ) { statement in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(sku, at: 2)
        return try statement.run() == 1
      }
    }
    return isKnown ? try await stock(aggregateId: aggregateId, sku: sku) : nil
  }

  /// Applies what is held, or drops it. From the future: its rows, as of when it came, so that what
  /// has come since stays; many zeros: what the NONZERO left out becomes 0, by
  /// its own time, so that what has come since stays.
  ///
  /// - Returns: what applying did; nil when it was dropped, or decided meanwhile.
  func decide(_ held: HeldSnapshot, apply: Bool) async throws -> SnapshotOutcome? {
    let rows = Int(clamping: held.skus + held.zeros)
    return try await database.write(weight: max(1, rows), key: held.aggregateId) { connection in
      guard let held = try HeldSnapshots.find(held.id, connection) else { return nil }
      try HeldSnapshots.remove(held.id, connection)
      guard apply else { return nil }
      let now = WallClock.nanoseconds()
      let message = try Omsconnector.V1.StockSnapshot(serialized: held.body)
      switch held.reason {
      case .future:
        var builder = try SnapshotBuilder(
          aggregateId: held.aggregateId, mode: held.mode, createdOn: CreatedOn(nanoseconds: min(held.heldAt, now)),
          rowCount: message.stock.count)
        for row in message.stock {
          builder.add(sku: row.sku, quantity: RowQuantity(row.quantity), unlimited: row.unlimited)
        }
        return try self.apply(builder.build(), connection, now: now)
      case .manyZeros:
        return try zero(held.aggregateId, held.createdOn, sparing: message.stock.map(\.sku), connection, now: now)
      }
    }
  }
}
