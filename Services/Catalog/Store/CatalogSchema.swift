import Commerce
import Storage

enum CatalogSchema {
  static let migrations = [
    Migration(
      "products",
      sqlite: [
        // WITHOUT ROWID: a page of ListProducts reads in order.
        """
        CREATE TABLE product (
          sku TEXT NOT NULL PRIMARY KEY,
          product_id INTEGER NOT NULL, -- the shop's; 0 when it has none
          origin TEXT NOT NULL, -- shop, csv, mapping or client
          type TEXT NOT NULL,
          name TEXT NOT NULL,
          status TEXT NOT NULL,
          price TEXT NOT NULL, -- a decimal number; empty for none
          currency TEXT NOT NULL,
          image_url TEXT NOT NULL,
          ships_together INTEGER NOT NULL CHECK (ships_together IN (0, 1)),
          children TEXT NOT NULL, -- SKUs, a JSON list
          content BLOB NOT NULL, -- SHA-256 of what the OMS was last sent
          exported_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
          updated_at INTEGER NOT NULL, -- by the shop, in seconds since 1970; 0 when not known
          recorded_at INTEGER NOT NULL -- nanoseconds since 1970
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX product_by_id ON product (product_id) WHERE product_id > 0",
      ],
      postgresql: [
        """
        CREATE TABLE product (
          sku TEXT COLLATE "C" NOT NULL PRIMARY KEY,
          product_id BIGINT NOT NULL,
          origin TEXT COLLATE "C" NOT NULL,
          type TEXT COLLATE "C" NOT NULL,
          name TEXT NOT NULL,
          status TEXT COLLATE "C" NOT NULL,
          price TEXT COLLATE "C" NOT NULL,
          currency TEXT COLLATE "C" NOT NULL,
          image_url TEXT NOT NULL,
          ships_together SMALLINT NOT NULL CHECK (ships_together IN (0, 1)),
          children TEXT NOT NULL,
          content BYTEA NOT NULL,
          exported_at BIGINT NOT NULL,
          updated_at BIGINT NOT NULL,
          recorded_at BIGINT NOT NULL
        )
        """,
        "CREATE INDEX product_by_id ON product (product_id) WHERE product_id > 0",
      ]),
    Outbox.migration,
    Outbox.refusedMigration,
    Lease.migration,
    PollPlace.migration,
    CatalogRun.migration,
    DeletionGuard.migration,
    HeldProduct.migration,
    Migration(
      "what the OMS was told of a product",
      // The message as protobuf; empty until the product is stored again.
      sqlite: ["ALTER TABLE product ADD COLUMN told BLOB NOT NULL DEFAULT x''"],
      postgresql: ["ALTER TABLE product ADD COLUMN told BYTEA NOT NULL DEFAULT ''"]),
    CatalogStore.confirmationMigration,
    UnreadableItems.migration,
    Outbox.numberMigration,
  ]

  /// A product and that it is held are in one place. Of readings of the whole catalog there are few, and their lists are joined with
  /// products by the shop's numbers.
  static let placements = Placement.all(
    [
      "product": .spread(by: "sku"), "held_product": .spread(by: "sku"), "catalog_run": .everywhere,
      "catalog_run_issue": .everywhere, "catalog_run_missing": .everywhere, "deletion_day": .everywhere,
    ], Outbox.placements, Lease.placements, PollPlace.placements, UnreadableItems.placements)
}
