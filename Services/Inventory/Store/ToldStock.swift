import Commerce
import ServiceKit
import Storage

/// What the shop was told last of a SKU, of which nothing is due or under way.
struct ToldStock: Sendable, Equatable {
  /// As the OMS says it now, with the version that was pushed.
  let row: DueStock
  let quantity: Decimal
  let isInStock: Bool
}

extension ToldStock {
  /// Notes what the shop was told, in the transaction that settles it; of a bulk job, in the one that opens it.
  static func note(
    _ rows: some Collection<PushedStock>, _ route: PushRoute, _ key: PushKey, _ connection: Connection
  ) throws {
    if rows.isEmpty { return }
    try connection.withStatement(
      """
      INSERT INTO \(StockSchema.told) (aggregate_id, part, sku, source, version, quantity, in_stock)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (aggregate_id, part, sku) DO UPDATE SET source = excluded.source, version = excluded.version,
        quantity = excluded.quantity, in_stock = excluded.in_stock
      """
    ) { statement throws(StorageError) in
      try PushQueue.bind(key, statement)
      try statement.bind(route.sourceCode, at: 4)
      try statement.runEach(
        rows, text: { $0.row.sku }, at: 3,
        bind: { row throws(StorageError) in
          try statement.bind(row.row.version, at: 5)
          try statement.bind(row.quantity.text, at: 6)
          try statement.bind(row.isInStock, at: 7)
        }, changed: { _, _ in })
    }
  }

  /// A page of what was told by a route, in the order of the SKUs' bytes, without what is due, refused, under way, or was in a bulk
  /// job that may still run.
  ///
  /// - Parameter after: the last SKU of the page before; empty for the first page.
  static func page(
    of key: PushKey, by route: PushRoute, after: String, limit: Int, _ connection: Connection
  ) throws -> [ToldStock] {
    try connection.withStatement("\(select) AND t.sku > ?4 ORDER BY t.sku LIMIT ?5") { statement in
      try PushQueue.bind(key, statement)
      try statement.bind(route.sourceCode, at: 3)
      try statement.bind(after, at: 4)
      try statement.bind(Int64(limit), at: 5)
      var rows: [ToldStock] = []
      while try statement.step() { rows.append(try row(statement)) }
      return rows
    }
  }

  /// - Returns: those of `rows` that are as they were: nothing was pushed since, and nothing is due.
  static func unmoved(
    _ rows: some Collection<ToldStock>, of key: PushKey, by route: PushRoute, _ connection: Connection
  ) throws -> [ToldStock] {
    var unmoved: [ToldStock] = []
    for told in rows {
      let now = try connection.withStatement("\(select) AND t.sku = ?4") { statement in
        try PushQueue.bind(key, statement)
        try statement.bind(route.sourceCode, at: 3)
        try statement.bind(told.row.sku, at: 4)
        return try statement.step() ? try row(statement) : nil
      }
      if let now, now.row.version == told.row.version { unmoved.append(now) }
    }
    return unmoved
  }

  private static func row(_ statement: Statement) throws -> ToldStock {
    ToldStock(
      row: DueStock(
        sku: statement.text(0), version: statement.integer(1), quantity: statement.integer(4),
        unlimited: statement.bool(5)),
      quantity: try number(statement.text(2)), isInStock: statement.bool(3))
  }

  private static func number(_ text: String) throws -> Decimal {
    guard let number = Decimal(text) else {
      throw StorageError(.corrupt, "\(StockSchema.told) holds \"\(quotable(text))\", which is no number")
    }
    return number
  }

  private static let select = """
    SELECT t.sku, t.version, t.quantity, t.in_stock, COALESCE(s.quantity, 0), COALESCE(s.unlimited, 0)
    FROM \(StockSchema.told) AS t LEFT JOIN \(StockSchema.table) AS s ON s.aggregate_id = t.aggregate_id AND s.sku = t.sku
    WHERE t.aggregate_id = ?1 AND t.part = ?2 AND t.source = ?3
      AND NOT EXISTS (SELECT 1 FROM \(StockSchema.push) AS p
        WHERE p.aggregate_id = t.aggregate_id AND p.part = t.part AND p.sku = t.sku)
      AND NOT EXISTS (SELECT 1 FROM \(StockSchema.lost) AS l
        WHERE l.aggregate_id = t.aggregate_id AND l.part = t.part AND l.sku = t.sku)
    """
}

extension PushRoute {
  /// Empty without multi-source inventory.
  var sourceCode: String {
    switch self {
    case .source(let code, _): code
    case .stockItem: ""
    }
  }
}
