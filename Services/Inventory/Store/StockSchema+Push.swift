import Storage

extension StockSchema {
  static let history = "stock_history"
  static let push = "stock_push"
  static let target = "stock_push_target"

  /// Old values, for 60 days, and only where a value changed.
  ///
  /// The day leads the key: rows of today are written side by side, whatever their SKUs, and what is too old is a range. A SKU's
  /// history is one look per day. The first value of a SKU has no row: it is what the oldest row says was there before.
  static let historyMigration = Migration(
    "history of stock",
    sqlite: [
      """
      CREATE TABLE stock_history (
        aggregate_id TEXT NOT NULL,
        day INTEGER NOT NULL, -- of at: days since 1970, UTC
        sku TEXT NOT NULL,
        at INTEGER NOT NULL, -- when it was applied: nanoseconds since 1970, UTC
        mode INTEGER NOT NULL, -- as in SnapshotMode.number
        zeroed INTEGER NOT NULL CHECK (zeroed IN (0, 1)), -- left out by a NONZERO, rather than named
        created_on INTEGER NOT NULL,
        quantity INTEGER NOT NULL,
        unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
        previous_quantity INTEGER NOT NULL,
        previous_unlimited INTEGER NOT NULL CHECK (previous_unlimited IN (0, 1)),
        previous_created_on INTEGER NOT NULL,
        PRIMARY KEY (aggregate_id, day, sku, at)
      ) STRICT, WITHOUT ROWID
      """
    ],
    postgresql: [
      """
      CREATE TABLE stock_history (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        day BIGINT NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        at BIGINT NOT NULL,
        mode SMALLINT NOT NULL,
        zeroed SMALLINT NOT NULL CHECK (zeroed IN (0, 1)),
        created_on BIGINT NOT NULL,
        quantity BIGINT NOT NULL,
        unlimited SMALLINT NOT NULL CHECK (unlimited IN (0, 1)),
        previous_quantity BIGINT NOT NULL,
        previous_unlimited SMALLINT NOT NULL CHECK (previous_unlimited IN (0, 1)),
        previous_created_on BIGINT NOT NULL,
        PRIMARY KEY (aggregate_id, day, sku, at)
      )
      """
    ])

  /// What the shop doesn't have yet, or refuses. Rows come in the transaction that changes the stock, for aggregates with a target
  /// only, and go when the shop has the value. The partition leads to the SKUs that one lease is for.
  static let pushMigration = Migration(
    "stock on its way to the shop",
    sqlite: [
      """
      CREATE TABLE stock_push_target (
        aggregate_id TEXT NOT NULL PRIMARY KEY,
        website TEXT NOT NULL,
        source TEXT NOT NULL, -- empty for none
        last_pushed_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC; 0 for never
        last_error TEXT NOT NULL -- empty for none
      ) STRICT
      """,
      """
      CREATE TABLE stock_push (
        aggregate_id TEXT NOT NULL,
        part INTEGER NOT NULL,
        sku TEXT NOT NULL,
        version INTEGER NOT NULL, -- grows each time that it is to be pushed
        sent INTEGER NOT NULL, -- the version that an open bulk job has; 0 for none
        failed INTEGER NOT NULL CHECK (failed IN (0, 1)), -- the shop refuses it
        reason TEXT NOT NULL,
        PRIMARY KEY (aggregate_id, part, sku)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE stock_push_bulk (
        aggregate_id TEXT NOT NULL,
        part INTEGER NOT NULL,
        uuid TEXT NOT NULL,
        accepted_at INTEGER NOT NULL,
        PRIMARY KEY (aggregate_id, part)
      ) STRICT
      """,
      "CREATE TABLE stock_unmanaged (sku TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID",
    ],
    postgresql: [
      """
      CREATE TABLE stock_push_target (
        aggregate_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        website TEXT NOT NULL,
        source TEXT NOT NULL,
        last_pushed_at BIGINT NOT NULL,
        last_error TEXT NOT NULL
      )
      """,
      """
      CREATE TABLE stock_push (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        part SMALLINT NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        sent BIGINT NOT NULL,
        failed SMALLINT NOT NULL CHECK (failed IN (0, 1)),
        reason TEXT NOT NULL,
        PRIMARY KEY (aggregate_id, part, sku)
      )
      """,
      """
      CREATE TABLE stock_push_bulk (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        part SMALLINT NOT NULL,
        uuid TEXT NOT NULL,
        accepted_at BIGINT NOT NULL,
        PRIMARY KEY (aggregate_id, part)
      )
      """,
      "CREATE TABLE stock_unmanaged (sku TEXT COLLATE \"C\" NOT NULL PRIMARY KEY)",
    ])
}
