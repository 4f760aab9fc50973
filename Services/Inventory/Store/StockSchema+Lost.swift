import Storage

extension StockSchema {
  static let bulk = "stock_push_bulk"
  static let lost = "stock_push_lost"

  /// A bulk job is noted before it is sent: `uuid` is empty until the shop has answered, `accepted_at` is when it was about to be
  /// sent.
  static let lostMigration = Migration(
    "bulk jobs that are lost",
    sqlite: [
      // Of a lost one, when its SKUs are pushed once more: nanoseconds since 1970, UTC; 0 of one that is followed.
      "ALTER TABLE stock_push_bulk ADD COLUMN again_at INTEGER NOT NULL DEFAULT 0",
      "ALTER TABLE stock_push_bulk ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
      """
      CREATE TABLE stock_push_lost (
        aggregate_id TEXT NOT NULL, part INTEGER NOT NULL, sku TEXT NOT NULL, PRIMARY KEY (aggregate_id, part, sku)
      ) STRICT, WITHOUT ROWID
      """,
    ],
    postgresql: [
      "ALTER TABLE stock_push_bulk ADD COLUMN again_at BIGINT NOT NULL DEFAULT 0",
      "ALTER TABLE stock_push_bulk ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
      """
      CREATE TABLE stock_push_lost (
        aggregate_id TEXT COLLATE "C" NOT NULL, part SMALLINT NOT NULL, sku TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (aggregate_id, part, sku)
      )
      """,
    ])

  static let error = "stock_push_error"

  /// Why a partition can't be pushed now. `last_error` of the aggregate, which each partition overwrote, is empty since.
  static let errorMigration = Migration(
    "why partitions are not pushed",
    sqlite: [
      """
      CREATE TABLE stock_push_error (
        aggregate_id TEXT NOT NULL,
        part INTEGER NOT NULL,
        error TEXT NOT NULL,
        at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
        PRIMARY KEY (aggregate_id, part)
      ) STRICT, WITHOUT ROWID
      """,
      "UPDATE stock_push_target SET last_error = ''",
    ],
    postgresql: [
      """
      CREATE TABLE stock_push_error (
        aggregate_id TEXT COLLATE "C" NOT NULL,
        part SMALLINT NOT NULL,
        error TEXT NOT NULL,
        at BIGINT NOT NULL,
        PRIMARY KEY (aggregate_id, part)
      )
      """,
      "UPDATE stock_push_target SET last_error = ''",
    ])

  /// How often in a row the shop has failed on a partition in a way that may be because of one of its rows.
  static let stopsMigration = Migration(
    "failures of partitions",
    sqlite: ["ALTER TABLE stock_push_error ADD COLUMN stops INTEGER NOT NULL DEFAULT 0"],
    postgresql: ["ALTER TABLE stock_push_error ADD COLUMN stops BIGINT NOT NULL DEFAULT 0"])
}
