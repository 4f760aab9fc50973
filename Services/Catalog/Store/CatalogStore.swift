import ServiceKit
import Storage

/// Products in the store.
struct CatalogStore: Sendable {
  /// Writers of products wait for each other, in all replicas: a page of products has no one thing that it is about.
  static let key = "products"

  let database: Database
  let outbox: Outbox

  init(_ database: Database, outbox: Outbox = Outbox(service: "catalog")) {
    self.database = database
    self.outbox = outbox
  }

  /// - Returns: nil when there is none.
  func product(_ sku: String) async throws -> CatalogRow? {
    try await database.read { try Self.rows($0, skus: [sku])[sku] }
  }

  /// Those that are known: by the shop's ids, and by SKU.
  func products(ids: [Int64], skus: [String]) async throws -> [CatalogRow] {
    try await database.read { connection in
      let byID = try Self.rows(connection, ids: ids)
      let known = Set(byID.map(\.sku))
      let bySKU = try Self.rows(connection, skus: skus.filter { !known.contains($0) })
      return byID + bySKU.values.sorted { $0.sku < $1.sku }
    }
  }

  /// A page in the order of the SKUs' bytes, and whether it is the last.
  func page(after: String, limit: Int, byteLimit: Int) async throws -> (rows: [CatalogRow], isLast: Bool) {
    try await database.read { connection in
      try connection.withStatement(
        "SELECT \(CatalogRow.selection) FROM product WHERE sku > ?1 ORDER BY sku LIMIT ?2"
      ) { statement in
        try statement.bind(after, at: 1)
        // One more than asked tells whether a page follows.
        try statement.bind(Int64(limit) + 1, at: 2)
        var (rows, bytes): ([CatalogRow], Int) = ([], 0)
        while try statement.step() {
          if rows.count == limit || bytes >= byteLimit { return (rows, false) }
          let row = try CatalogRow(statement)
          bytes += row.sku.utf8.count + row.name.utf8.count + row.imageURL.utf8.count + row.children.utf8.count + 100
          rows.append(row)
        }
        return (rows, true)
      }
    }
  }

  /// SKUs of products by the shop's ids, those that are known.
  func skus(ofIDs ids: [Int64]) async throws -> [Int64: String] {
    if ids.isEmpty { return [:] }
    return try await database.read { connection in
      Dictionary(try Self.rows(connection, ids: ids).map { ($0.productID, $0.sku) }) { first, _ in first }
    }
  }

  static func rows(_ connection: Connection, skus: [String]) throws -> [String: CatalogRow] {
    if skus.isEmpty { return [:] }
    return try connection.withStatement(
      "SELECT \(CatalogRow.selection) FROM product WHERE \(isAmong("sku", connection.engine))"
    ) { statement in
      try statement.bind(JSONList.text(of: skus), at: 1)
      var rows: [String: CatalogRow] = [:]
      while try statement.step() {
        let row = try CatalogRow(statement)
        rows[row.sku] = row
      }
      return rows
    }
  }

  /// What is known of products, those that are.
  static func known(_ connection: Connection, skus: [String]) throws -> [String: KnownProduct] {
    let rows = try rows(connection, skus: skus)
    if rows.isEmpty { return [:] }
    return try connection.withStatement("SELECT sku, told FROM product WHERE \(isAmong("sku", connection.engine))") {
      try $0.bind(JSONList.text(of: skus), at: 1)
      var known: [String: KnownProduct] = [:]
      while try $0.step() {
        let sku = $0.text(0)
        if let row = rows[sku] { known[sku] = try KnownProduct(row, told: $0.blob(1)) }
      }
      return known
    }
  }

  /// Whether a column is one of the texts of parameter 1, a JSON list.
  static func isAmong(_ column: String, _ engine: StorageEngine) -> String {
    switch engine {
    case .sqlite: "\(column) IN (SELECT value FROM json_each(?1))"
    case .postgresql: "\(column) IN (SELECT jsonb_array_elements_text(CAST(?1 AS JSONB)))"
    }
  }

  static func rows(_ connection: Connection, ids: [Int64]) throws -> [CatalogRow] {
    let ids = ids.filter { $0 > 0 }
    if ids.isEmpty { return [] }
    let condition =
      switch connection.engine {
      case .sqlite: "product_id IN (SELECT value FROM json_each(?1))"
      case .postgresql: "product_id IN (SELECT CAST(jsonb_array_elements_text(CAST(?1 AS JSONB)) AS BIGINT))"
      }
    return try connection.withStatement(
      "SELECT \(CatalogRow.selection) FROM product WHERE product_id > 0 AND \(condition) ORDER BY sku"
    ) { statement in
      try statement.bind("[\(ids.map { "\($0)" }.joined(separator: ","))]", at: 1)
      var rows: [CatalogRow] = []
      while try statement.step() { rows.append(try CatalogRow(statement)) }
      return rows
    }
  }
}
