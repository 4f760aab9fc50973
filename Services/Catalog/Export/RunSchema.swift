import Storage

extension CatalogRun {
  static let migration = Migration(
    "readings of the whole catalog",
    sqlite: [
      """
      CREATE TABLE catalog_run (
        id INTEGER NOT NULL PRIMARY KEY,
        kind TEXT NOT NULL, -- full or reconciliation
        state TEXT NOT NULL, -- running, done or replaced
        last_id INTEGER NOT NULL, -- the shop's id of the last product that is stored
        is_read INTEGER NOT NULL CHECK (is_read IN (0, 1)),
        read_count INTEGER NOT NULL,
        total INTEGER NOT NULL,
        exported INTEGER NOT NULL,
        deactivated INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        reason TEXT NOT NULL, -- why it waits
        started_at INTEGER NOT NULL -- nanoseconds since 1970, UTC
      ) STRICT
      """,
      """
      CREATE TABLE catalog_run_issue (
        run INTEGER NOT NULL,
        place INTEGER NOT NULL, -- among the products read, from 1
        sku TEXT NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (run, place)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE catalog_run_missing ( -- known products that were not where they should have been
        run INTEGER NOT NULL,
        product_id INTEGER NOT NULL,
        PRIMARY KEY (run, product_id)
      ) STRICT, WITHOUT ROWID
      """,
    ],
    postgresql: [
      """
      CREATE TABLE catalog_run (
        id BIGINT NOT NULL PRIMARY KEY,
        kind TEXT COLLATE "C" NOT NULL,
        state TEXT COLLATE "C" NOT NULL,
        last_id BIGINT NOT NULL,
        is_read SMALLINT NOT NULL CHECK (is_read IN (0, 1)),
        read_count BIGINT NOT NULL,
        total BIGINT NOT NULL,
        exported BIGINT NOT NULL,
        deactivated BIGINT NOT NULL,
        failed BIGINT NOT NULL,
        reason TEXT NOT NULL,
        started_at BIGINT NOT NULL
      )
      """,
      """
      CREATE TABLE catalog_run_issue (
        run BIGINT NOT NULL,
        place BIGINT NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        reason TEXT NOT NULL,
        PRIMARY KEY (run, place)
      )
      """,
      "CREATE TABLE catalog_run_missing (run BIGINT NOT NULL, product_id BIGINT NOT NULL, PRIMARY KEY (run, product_id))",
    ])
}
