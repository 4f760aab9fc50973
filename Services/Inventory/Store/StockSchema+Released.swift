import Storage

extension StockSchema {
  static let released = "stock_released"

  /// What is held keeps what was wrong with its rows; parts of one snapshot that came from the future get one time.
  static let releasedMigration = Migration(
    "held snapshots as they were, and the times that they got",
    sqlite: [
      // Of omsconnector.v1.ApplyStockSnapshotResponse: the bad rows.
      "ALTER TABLE held_snapshot ADD COLUMN issues BLOB NOT NULL DEFAULT x''",
      """
      CREATE TABLE stock_released (
        aggregate_id TEXT NOT NULL,
        created_on INTEGER NOT NULL, -- as it came
        applied_as INTEGER NOT NULL, -- the created_on that it was applied with
        at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
        PRIMARY KEY (aggregate_id, created_on)
      ) STRICT, WITHOUT ROWID
      """,
    ],
    postgresql: [
      "ALTER TABLE held_snapshot ADD COLUMN issues BYTEA NOT NULL DEFAULT ''",
      """
      CREATE TABLE stock_released (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        created_on BIGINT NOT NULL,
        applied_as BIGINT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (aggregate_id, created_on)
      )
      """,
    ])
}
