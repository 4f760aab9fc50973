import Storage

extension StockSchema {
  /// What a NONZERO in parts has said so far, and what waits for the operator.
  static let heldMigration = Migration(
    "snapshots in parts, and held ones",
    sqlite: [
      // The last NONZERO of each aggregate.
      """
      CREATE TABLE stock_nonzero (
        aggregate_id TEXT NOT NULL PRIMARY KEY,
        created_on INTEGER NOT NULL,
        last_at INTEGER NOT NULL, -- when its last part came: nanoseconds since 1970, UTC
        parts INTEGER NOT NULL,
        named INTEGER NOT NULL, -- rows of its parts
        is_open INTEGER NOT NULL CHECK (is_open IN (0, 1)) -- what it leaves out is still to be zeroed
      ) STRICT
      """,
      // What its bad rows name is not left out.
      """
      CREATE TABLE stock_nonzero_spared (
        aggregate_id TEXT NOT NULL, sku TEXT NOT NULL, PRIMARY KEY (aggregate_id, sku)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE held_snapshot (
        id INTEGER PRIMARY KEY,
        aggregate_id TEXT NOT NULL,
        digest BLOB NOT NULL,
        mode INTEGER NOT NULL,
        created_on INTEGER NOT NULL,
        reason INTEGER NOT NULL, -- as in HeldReason
        explanation TEXT NOT NULL,
        skus INTEGER NOT NULL,
        zeros INTEGER NOT NULL,
        held_at INTEGER NOT NULL,
        body BLOB NOT NULL, -- omsconnector.v1.StockSnapshot
        UNIQUE (aggregate_id, digest)
      ) STRICT
      """,
    ],
    postgresql: [
      """
      CREATE TABLE stock_nonzero (
        aggregate_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        created_on BIGINT NOT NULL,
        last_at BIGINT NOT NULL,
        parts BIGINT NOT NULL,
        named BIGINT NOT NULL,
        is_open SMALLINT NOT NULL CHECK (is_open IN (0, 1))
      )
      """,
      """
      CREATE TABLE stock_nonzero_spared (
        aggregate_id TEXT COLLATE "C" NOT NULL, sku TEXT COLLATE "C" NOT NULL, PRIMARY KEY (aggregate_id, sku)
      )
      """,
      // The sequence goes with ``heldNumberMigration``.
      """
      CREATE TABLE held_snapshot (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        aggregate_id TEXT COLLATE "C" NOT NULL,
        digest BYTEA NOT NULL,
        mode SMALLINT NOT NULL,
        created_on BIGINT NOT NULL,
        reason SMALLINT NOT NULL,
        explanation TEXT NOT NULL,
        skus BIGINT NOT NULL,
        zeros BIGINT NOT NULL,
        held_at BIGINT NOT NULL,
        body BYTEA NOT NULL,
        UNIQUE (aggregate_id, digest)
      )
      """,
    ])

  /// Where the numbers of held snapshots come from on PostgreSQL: one row, as they are few. It goes on behind all that were given.
  static let heldNumberMigration = Migration(
    "held snapshots without a sequence",
    sqlite: [],
    postgresql: [
      "CREATE TABLE held_number (id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1), last_number BIGINT NOT NULL)",
      "INSERT INTO held_number (id, last_number) SELECT 1, CASE WHEN is_called THEN last_value ELSE 0 END FROM held_snapshot_id_seq",
      "ALTER TABLE held_snapshot ALTER COLUMN id DROP IDENTITY",
    ])

  /// The OMS's sources, as it last told them.
  static let sourceMigration = Migration(
    "sources",
    sqlite: [
      """
      CREATE TABLE oms_source (
        source_id TEXT NOT NULL PRIMARY KEY,
        body BLOB NOT NULL, -- omsconnector.v1.Source
        deleted INTEGER NOT NULL CHECK (deleted IN (0, 1)),
        updated_at INTEGER NOT NULL -- nanoseconds since 1970, UTC
      ) STRICT, WITHOUT ROWID
      """
    ],
    postgresql: [
      """
      CREATE TABLE oms_source (
        source_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        body BYTEA NOT NULL,
        deleted SMALLINT NOT NULL CHECK (deleted IN (0, 1)),
        updated_at BIGINT NOT NULL
      )
      """
    ])
}
