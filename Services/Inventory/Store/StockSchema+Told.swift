import Storage

extension StockSchema {
  static let told = "stock_told"
  static let changed = "stock_changed"

  /// What the shop was told last, and where it had something else afterwards. Rows of the first come with a push, and stay: of a
  /// SKU that was never pushed there is none, and nothing to compare.
  static let toldMigration = Migration(
    "what the shop was told, and what was changed there",
    sqlite: [
      """
      CREATE TABLE stock_told (
        aggregate_id TEXT NOT NULL,
        part INTEGER NOT NULL,
        sku TEXT NOT NULL,
        source TEXT NOT NULL, -- code; empty without multi-source inventory
        version INTEGER NOT NULL, -- of stock_push
        quantity TEXT NOT NULL, -- decimal
        in_stock INTEGER NOT NULL CHECK (in_stock IN (0, 1)),
        PRIMARY KEY (aggregate_id, part, sku)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE stock_changed (
        aggregate_id TEXT NOT NULL,
        sku TEXT NOT NULL,
        at INTEGER NOT NULL, -- when it was found: nanoseconds since 1970, UTC
        told TEXT NOT NULL, -- in words, as what was found
        found TEXT NOT NULL,
        PRIMARY KEY (aggregate_id, sku)
      ) STRICT, WITHOUT ROWID
      """,
      "CREATE INDEX stock_changed_at ON stock_changed (at)",
    ],
    postgresql: [
      """
      CREATE TABLE stock_told (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        part SMALLINT NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        source TEXT NOT NULL,
        version BIGINT NOT NULL,
        quantity TEXT NOT NULL,
        in_stock SMALLINT NOT NULL CHECK (in_stock IN (0, 1)),
        PRIMARY KEY (aggregate_id, part, sku)
      )
      """,
      """
      CREATE TABLE stock_changed (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        at BIGINT NOT NULL,
        told TEXT NOT NULL,
        found TEXT NOT NULL,
        PRIMARY KEY (aggregate_id, sku)
      )
      """,
      "CREATE INDEX stock_changed_at ON stock_changed (at)",
    ])
}
