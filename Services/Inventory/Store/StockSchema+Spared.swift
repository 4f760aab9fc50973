import Storage

extension StockSchema {
  static let spared = "stock_nonzero_named"

  /// What is not left out of a NONZERO is known by the NONZERO, and so for as long as parts of it may come.
  static let sparedMigration = Migration(
    "what bad rows of a NONZERO name",
    sqlite: [
      """
      CREATE TABLE stock_nonzero_named (
        aggregate_id TEXT NOT NULL,
        created_on INTEGER NOT NULL, -- the NONZERO's
        sku TEXT NOT NULL,
        PRIMARY KEY (aggregate_id, created_on, sku)
      ) STRICT, WITHOUT ROWID
      """,
      moved, "DROP TABLE stock_nonzero_spared",
    ],
    postgresql: [
      """
      CREATE TABLE stock_nonzero_named (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        created_on BIGINT NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (aggregate_id, created_on, sku)
      )
      """,
      moved, "DROP TABLE stock_nonzero_spared",
    ])

  private static let moved = """
    INSERT INTO stock_nonzero_named (aggregate_id, created_on, sku)
    SELECT spared.aggregate_id, run.created_on, spared.sku
    FROM stock_nonzero_spared AS spared JOIN stock_nonzero AS run ON run.aggregate_id = spared.aggregate_id
    """
}
