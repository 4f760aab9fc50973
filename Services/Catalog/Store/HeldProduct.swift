import ServiceKit
import Storage

/// A product that seems to be gone, and waits for the operator because ``DeletionGuard`` held it back. One that comes again is
/// held no more.
struct HeldProduct: Sendable, Equatable {
  enum Reason: String, Sendable {
    /// The shop did not show it when its whole catalog was read.
    case missing
    /// Its id in the shop has another SKU now.
    case renamed
  }

  var sku: String
  /// In the shop.
  var productID: Int64
  var name: String
  var reason: Reason
  /// Of a renamed one; else empty.
  var newSKU: String
  /// Nanoseconds since 1970.
  var heldAt: Int64

  static let migration = Migration(
    "products held back",
    sqlite: [
      """
      CREATE TABLE held_product (
        sku TEXT NOT NULL PRIMARY KEY,
        product_id INTEGER NOT NULL,
        reason TEXT NOT NULL, -- missing or renamed
        new_sku TEXT NOT NULL,
        held_at INTEGER NOT NULL -- nanoseconds since 1970, UTC
      ) STRICT, WITHOUT ROWID
      """,
      // What a run compares with what it misses: products when it began.
      "ALTER TABLE catalog_run ADD COLUMN known INTEGER NOT NULL DEFAULT 0",
    ],
    postgresql: [
      """
      CREATE TABLE held_product (
        sku TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        product_id BIGINT NOT NULL,
        reason TEXT COLLATE "C" NOT NULL,
        new_sku TEXT COLLATE "C" NOT NULL,
        held_at BIGINT NOT NULL
      )
      """,
      "ALTER TABLE catalog_run ADD COLUMN known BIGINT NOT NULL DEFAULT 0",
    ])
}

extension HeldProduct {
  /// Holds what a run misses.
  ///
  /// - Returns: how many that are.
  static func hold(_ connection: Connection, missingIn run: Int64, now: Int64) throws -> Int {
    try connection.withStatement(
      """
      INSERT INTO held_product (sku, product_id, reason, new_sku, held_at)
      SELECT p.sku, p.product_id, 'missing', '', CAST(?2 AS BIGINT) FROM catalog_run_missing m
      JOIN product p ON p.product_id = m.product_id WHERE m.run = ?1 AND p.status <> 'INACTIVE'
      ON CONFLICT (sku) DO UPDATE SET product_id = excluded.product_id, reason = excluded.reason, new_sku = ''
      """
    ) { statement in
      try statement.bind(run, at: 1)
      try statement.bind(now, at: 2)
      return try statement.run()
    }
  }

  /// Holds SKUs whose ids have others now.
  static func hold(_ connection: Connection, renamed: [(row: CatalogRow, newSKU: String)], now: Int64) throws {
    try connection.withStatement(
      """
      INSERT INTO held_product (sku, product_id, reason, new_sku, held_at) VALUES (?1, ?2, 'renamed', ?3, ?4)
      ON CONFLICT (sku) DO UPDATE SET
        product_id = excluded.product_id, reason = excluded.reason, new_sku = excluded.new_sku
      """
    ) { statement in
      try statement.bind(now, at: 4)
      for (row, newSKU) in renamed {
        try statement.bind(row.sku, at: 1)
        try statement.bind(row.productID, at: 2)
        try statement.bind(newSKU, at: 3)
        _ = try statement.run()
      }
    }
  }

  /// What is decided, or has come again.
  static func release(_ connection: Connection, skus: [String]) throws {
    // Hardly ever is anything held.
    guard try connection.withStatement("SELECT 1 FROM held_product LIMIT 1", { try $0.step() }) else { return }
    try connection.withStatement("DELETE FROM held_product WHERE \(CatalogStore.isAmong("sku", connection.engine))") {
      try $0.bind(JSONList.text(of: skus), at: 1)
      _ = try $0.run()
    }
  }

  static func rows(_ connection: Connection, skus: [String]) throws -> [HeldProduct] {
    try connection.withStatement("\(select) WHERE \(CatalogStore.isAmong("h.sku", connection.engine)) ORDER BY h.sku") {
      try $0.bind(JSONList.text(of: skus), at: 1)
      return try all($0)
    }
  }

  /// A page in the order of the SKUs' bytes.
  static func page(_ connection: Connection, after: String, limit: Int) throws -> [HeldProduct] {
    try connection.withStatement("\(select) WHERE h.sku > ?1 ORDER BY h.sku LIMIT ?2") {
      try $0.bind(after, at: 1)
      try $0.bind(Int64(limit), at: 2)
      return try all($0)
    }
  }

  static func counts(_ connection: Connection) throws -> (missing: Int, renamed: Int) {
    try connection.withStatement("SELECT reason, count(*) FROM held_product GROUP BY reason") { statement in
      var counts: [String: Int] = [:]
      while try statement.step() { counts[statement.text(0)] = Int(statement.integer(1)) }
      return (counts["missing"] ?? 0, counts["renamed"] ?? 0)
    }
  }

  private static let select = """
    SELECT h.sku, h.product_id, coalesce(p.name, ''), h.reason, h.new_sku, h.held_at FROM held_product h
    LEFT JOIN product p ON p.sku = h.sku
    """

  private static func all(_ statement: Statement) throws -> [HeldProduct] {
    var found: [HeldProduct] = []
    while try statement.step() {
      found.append(
        HeldProduct(
          sku: statement.text(0), productID: statement.integer(1), name: statement.text(2),
          reason: try statement.value(3, of: "the reason of held product \(statement.text(0))"),
          newSKU: statement.text(4), heldAt: statement.integer(5)))
    }
    return found
  }
}
