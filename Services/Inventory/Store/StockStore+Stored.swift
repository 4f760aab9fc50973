import ServiceKit
import Storage

/// What the store holds of one SKU, before a message or after it.
struct StoredStock: Sendable, Equatable {
  var quantity: Int64
  var unlimited: Bool
  /// Nanoseconds since 1970.
  var createdOn: Int64
}

extension StockStore {
  /// What there is of each row's SKU, in the order of the rows; may be empty when there is nothing of any.
  ///
  /// - Parameters:
  ///   - rows: in the order of their SKUs' bytes.
  ///   - areNeighbours: whether little lies between them: then reading from the first SKU to the last and merging costs a
  ///     fraction of a look for each. Where it is more, the rest is looked up.
  func storedStock(
    of rows: [StockRow], in aggregateId: String, areNeighbours: Bool = true, _ connection: Connection
  ) throws -> [StoredStock?] {
    guard let first = rows.first, let last = rows.last else { return [] }
    if !areNeighbours {
      var found = [StoredStock?](repeating: nil, count: rows.count)
      try lookUp(0..<rows.count, of: rows, in: aggregateId, &found, connection)
      return found
    }
    var found: [StoredStock?] = []
    var next = 0
    let limit = rows.count * Self.readPerRow
    var read = 0
    try connection.withStatement(Self.selectRange) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(first.sku, at: 2)
      try statement.bind(last.sku, at: 3)
      try statement.bind(Int64(limit), at: 4)
      while try statement.step() {
        if found.isEmpty { found = [StoredStock?](repeating: nil, count: rows.count) }
        read += 1
        let sku = statement.text(0)
        while next < rows.count, precedes(rows[next].sku, sku, from: 0) { next += 1 }
        while next < rows.count, rows[next].sku.utf8.elementsEqual(sku.utf8) {
          found[next] = Self.stored(statement)
          next += 1
        }
      }
    }
    if read == limit, next < rows.count {
      try lookUp(next..<rows.count, of: rows, in: aggregateId, &found, connection)
    }
    return found
  }

  /// Rows that are read for each that is needed, at most.
  private static let readPerRow = 4

  private func lookUp(
    _ range: Range<Int>, of rows: [StockRow], in aggregateId: String, _ found: inout [StoredStock?],
    _ connection: Connection
  ) throws {
    let select = connection.engine == .sqlite ? Self.selectNamedOnSQLite : Self.selectNamedOnPostgreSQL
    try connection.withStatement(select) { statement in
      try statement.bind(aggregateId, at: 1)
      if connection.engine == .postgresql {
        try statement.bind(array: rows[range].map(\.sku), at: 2)
      } else {
        try statement.bind(JSONList.text(of: rows[range].map(\.sku)), at: 2)
      }
      while try statement.step() { found[range.lowerBound + Int(statement.integer(0))] = Self.stored(statement) }
    }
  }

  private static func stored(_ statement: Statement) -> StoredStock {
    StoredStock(quantity: statement.integer(1), unlimited: statement.bool(2), createdOn: statement.integer(3))
  }

  private static let selectRange = """
    SELECT sku, quantity, unlimited, created_on FROM \(StockSchema.table)
    WHERE aggregate_id = ?1 AND sku >= ?2 AND sku <= ?3 ORDER BY sku LIMIT ?4
    """

  private static let selectNamedOnSQLite = """
    SELECT named.key, s.quantity, s.unlimited, s.created_on
    FROM json_each(?2) AS named CROSS JOIN \(StockSchema.table) AS s ON s.aggregate_id = ?1 AND s.sku = named.value
    """

  private static let selectNamedOnPostgreSQL = """
    SELECT named.place - 1, s.quantity, s.unlimited, s.created_on
    FROM unnest(?2) WITH ORDINALITY AS named(sku, place)
    JOIN \(StockSchema.table) AS s ON s.aggregate_id = ?1 AND s.sku = named.sku COLLATE "C"
    """
}
