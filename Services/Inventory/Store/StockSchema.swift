import Storage

enum StockSchema {
  /// Named after the table that the merchant's own platform keeps for the same purpose.
  static let table = "cataloginventory_stock_item_update"

  static let migrations = [
    Migration(
      "stock per aggregate and SKU",
      sqlite: [
        // WITHOUT ROWID: the key is the row's place, so an upsert touches one tree and a page of ListStock reads in
        // order.
        """
        CREATE TABLE cataloginventory_stock_item_update (
          aggregate_id TEXT NOT NULL,
          sku TEXT NOT NULL,
          quantity INTEGER NOT NULL CHECK (quantity >= 0),
          unlimited INTEGER NOT NULL CHECK (unlimited IN (0, 1)),
          created_on INTEGER NOT NULL CHECK (created_on >= 0), -- nanoseconds since 1970, UTC
          by_nonzero INTEGER NOT NULL CHECK (by_nonzero IN (0, 1)), -- a NONZERO wrote it last
          PRIMARY KEY (aggregate_id, sku)
        ) STRICT, WITHOUT ROWID
        """
      ],
      postgresql: [
        // In the order of bytes, which pages and replicas go by. Rows are updated far more often than added, and no column of
        // an index changes with that: with room left in each page, the new version of a row stays where the old one was.
        """
        CREATE TABLE cataloginventory_stock_item_update (
          aggregate_id TEXT COLLATE "C" NOT NULL,
          sku TEXT COLLATE "C" NOT NULL,
          quantity BIGINT NOT NULL CHECK (quantity >= 0),
          unlimited SMALLINT NOT NULL CHECK (unlimited IN (0, 1)),
          created_on BIGINT NOT NULL CHECK (created_on >= 0),
          by_nonzero SMALLINT NOT NULL CHECK (by_nonzero IN (0, 1)),
          PRIMARY KEY (aggregate_id, sku)
        ) WITH (fillfactor = 80)
        """
      ]),
    Inbox.migration,
    Outbox.migration,
    Outbox.refusedMigration,
    historyMigration,
    pushMigration,
    heldMigration,
    sourceMigration,
    WorkQueue.migration,
    Lease.migration,
    lostMigration,
    errorMigration,
    releasedMigration,
    toldMigration,
    stopsMigration,
    sparedMigration,
    Inbox.keyMigration,
    Outbox.numberMigration,
    heldNumberMigration,
  ]

  /// What there is of each SKU is where the SKU is, whatever its aggregate: there are few aggregates, and one may have most of the
  /// stock. So a snapshot's rows go to all machines side by side, and what a row writes besides itself stays with it. What
  /// there is of an aggregate is little, and everywhere.
  static let placements = Placement.all(
    [
      table: .spread(by: "sku"), history: .spread(by: "sku"), push: .spread(by: "sku"), lost: .spread(by: "sku"),
      told: .spread(by: "sku"), changed: .spread(by: "sku"), spared: .spread(by: "sku"),
      "stock_unmanaged": .spread(by: "sku"),
      target: .everywhere, bulk: .everywhere, error: .everywhere, released: .everywhere,
      "stock_nonzero": .everywhere, "held_snapshot": .everywhere, "held_number": .everywhere, "oms_source": .everywhere,
    ], Inbox.placements, Outbox.placements, WorkQueue.placements, Lease.placements)
}
