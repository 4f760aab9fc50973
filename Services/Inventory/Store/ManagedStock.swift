import ServiceKit
import Storage

/// Products of which the shop doesn't count the stock, because the OMS calls them unlimited.
///
/// Whether it is counted is a matter of the product, and an aggregate's stock one of a source (magento-rules.md §4). It is not
/// counted when all pushed aggregates that have the SKU say so. Where they disagree it is counted, which may sell too little and
/// never too much, and is reported.
enum ManagedStock {
  /// - Returns: for the SKUs for which the shop has to be told: whether stock is counted from now on.
  static func changes(of skus: [String], _ connection: Connection) throws -> [String: Bool] {
    if skus.isEmpty { return [:] }
    let list = JSONList.text(of: skus)
    var unmanaged = Set<String>()
    try connection.withStatement(
      "SELECT u.sku FROM \(named(connection.engine)) JOIN stock_unmanaged AS u ON u.sku = named.sku"
    ) { statement in
      try statement.bind(list, at: 1)
      while try statement.step() { unmanaged.insert(statement.text(0)) }
    }
    var changes: [String: Bool] = [:]
    for (sku, isUnlimited) in try unlimited(list, connection) {
      if isUnlimited, !unmanaged.contains(sku) { changes[sku] = false }
      if !isUnlimited, unmanaged.contains(sku) { changes[sku] = true }
    }
    return changes
  }

  /// SKUs that some pushed aggregates call unlimited and others don't.
  static func conflicts(limit: Int, _ connection: Connection) throws -> [String] {
    try connection.withStatement(
      """
      SELECT s.sku FROM \(StockSchema.target) AS t JOIN \(StockSchema.table) AS s ON s.aggregate_id = t.aggregate_id
      GROUP BY s.sku HAVING MIN(s.unlimited) <> MAX(s.unlimited) ORDER BY s.sku LIMIT ?1
      """
    ) { statement in
      try statement.bind(Int64(limit), at: 1)
      var found: [String] = []
      while try statement.step() { found.append(statement.text(0)) }
      return found
    }
  }

  /// Notes what the shop was told. What it should be told has changed meanwhile, for some: those have to go again.
  ///
  /// - Returns: the others.
  static func note(_ rows: [PushedStock], _ connection: Connection) throws -> [DueStock] {
    let told = rows.filter { $0.isManaged != nil }
    for row in told {
      let sql =
        row.isManaged == false
        ? "INSERT INTO stock_unmanaged (sku) VALUES (?1) ON CONFLICT (sku) DO NOTHING"
        : "DELETE FROM stock_unmanaged WHERE sku = ?1"
      try connection.withStatement(sql) { statement in
        try statement.bind(row.row.sku, at: 1)
        _ = try statement.run()
      }
    }
    let again = try changes(of: told.map(\.row.sku), connection)
    return rows.map(\.row).filter { again[$0.sku] == nil }
  }

  private static func unlimited(_ list: String, _ connection: Connection) throws -> [String: Bool] {
    try connection.withStatement(
      """
      SELECT s.sku, MIN(s.unlimited) FROM \(named(connection.engine)) CROSS JOIN \(StockSchema.target) AS t
      JOIN \(StockSchema.table) AS s ON s.aggregate_id = t.aggregate_id AND s.sku = named.sku GROUP BY s.sku
      """
    ) { statement in
      try statement.bind(list, at: 1)
      var found: [String: Bool] = [:]
      while try statement.step() { found[statement.text(0)] = statement.bool(1) }
      return found
    }
  }

  private static func named(_ engine: StorageEngine) -> String {
    switch engine {
    case .sqlite: "(SELECT value AS sku FROM json_each(?1)) AS named"
    case .postgresql:
      "(SELECT CAST(value AS TEXT) COLLATE \"C\" AS sku FROM jsonb_array_elements_text(CAST(?1 AS JSONB)) AS list(value)) AS named"
    }
  }
}
