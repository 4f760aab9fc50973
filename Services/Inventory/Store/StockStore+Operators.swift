import Storage

extension StockStore {
  /// Makes a SKU's entry older than any message, for the next one to set it. What came before is not next: the last NONZERO doesn't
  /// zero it, though further parts of that may come. What older ones named is forgotten.
  ///
  /// - Returns: the entry; nil when there is none.
  func resetTimestamp(aggregateId: String, sku: String) async throws -> Stock? {
    let isKnown = try await database.write(key: aggregateId) { connection in
      let isKnown = try connection.withStatement(
        "UPDATE \(StockSchema.table) SET created_on = 0, by_nonzero = 0 WHERE aggregate_id = ?1 AND sku = ?2"
      ) { statement in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(sku, at: 2)
        return try statement.run() == 1
      }
      if isKnown {
        try forgetSpared(sku, of: aggregateId, connection)
        if let run = try run(of: aggregateId, connection) {
          try spare([sku], by: run.createdOn, of: aggregateId, connection)
        }
      }
      return isKnown
    }
    return isKnown ? try await stock(aggregateId: aggregateId, sku: sku) : nil
  }
}
