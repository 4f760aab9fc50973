import Commerce
import Storage

/// The tables of what the shop has to do for an order, and has done. As in ``SalesSchema``.
enum FulfilmentSchema {
  static let migrations = [
    Migration(
      "parcels, documents of the shop, steps under way and comments",
      sqlite: [
        """
        CREATE TABLE sales_parcel ( -- a customer_shipment_done of the OMS
          increment_id TEXT NOT NULL,
          parcel_key TEXT NOT NULL,
          tracks TEXT NOT NULL, -- JSON
          received_at INTEGER NOT NULL,
          done_at INTEGER, -- when the shop had all of it
          PRIMARY KEY (increment_id, parcel_key)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE sales_document ( -- made in the shop, by the connector or by people
          increment_id TEXT NOT NULL,
          kind TEXT NOT NULL, -- invoice, shipment, creditmemo
          entity_id INTEGER NOT NULL,
          purpose TEXT NOT NULL, -- of the connector's: the parcel's key; empty of other people's
          noted_at INTEGER NOT NULL,
          PRIMARY KEY (increment_id, kind, entity_id)
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE sales_step ( -- asked of the shop, and not known to be done
          increment_id TEXT NOT NULL PRIMARY KEY,
          kind TEXT NOT NULL,
          marker TEXT NOT NULL,
          captures INTEGER NOT NULL CHECK (captures IN (0, 1)),
          known_captures INTEGER NOT NULL,
          total_paid TEXT NOT NULL,
          amount TEXT NOT NULL, -- that is to be captured
          begun_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE sales_comment ( -- to be said on the order in the shop
          increment_id TEXT NOT NULL,
          number INTEGER NOT NULL,
          content TEXT NOT NULL,
          PRIMARY KEY (increment_id, number)
        ) STRICT, WITHOUT ROWID
        """,
      ],
      postgresql: [
        """
        CREATE TABLE sales_parcel (
          increment_id TEXT COLLATE "C" NOT NULL,
          parcel_key TEXT COLLATE "C" NOT NULL,
          tracks TEXT COLLATE "C" NOT NULL,
          received_at BIGINT NOT NULL,
          done_at BIGINT,
          PRIMARY KEY (increment_id, parcel_key)
        )
        """,
        """
        CREATE TABLE sales_document (
          increment_id TEXT COLLATE "C" NOT NULL,
          kind TEXT COLLATE "C" NOT NULL,
          entity_id BIGINT NOT NULL,
          purpose TEXT COLLATE "C" NOT NULL,
          noted_at BIGINT NOT NULL,
          PRIMARY KEY (increment_id, kind, entity_id)
        )
        """,
        """
        CREATE TABLE sales_step (
          increment_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
          kind TEXT COLLATE "C" NOT NULL,
          marker TEXT COLLATE "C" NOT NULL,
          captures SMALLINT NOT NULL CHECK (captures IN (0, 1)),
          known_captures BIGINT NOT NULL,
          total_paid TEXT COLLATE "C" NOT NULL,
          amount TEXT COLLATE "C" NOT NULL,
          begun_at BIGINT NOT NULL
        )
        """,
        """
        CREATE TABLE sales_comment (
          increment_id TEXT COLLATE "C" NOT NULL,
          number BIGINT NOT NULL,
          content TEXT COLLATE "C" NOT NULL,
          PRIMARY KEY (increment_id, number)
        )
        """,
      ]),
    PaymentCommand.migration,
    // 1: nobody knows whether it was done, and an operator is to say. All that are there when the column comes may be such.
    Migration(
      "steps that an operator has to decide",
      sqlite: [
        "ALTER TABLE sales_step ADD COLUMN is_undecided INTEGER NOT NULL DEFAULT 0",
        "UPDATE sales_step SET is_undecided = 1",
      ],
      postgresql: [
        "ALTER TABLE sales_step ADD COLUMN is_undecided SMALLINT NOT NULL DEFAULT 0",
        "UPDATE sales_step SET is_undecided = 1",
      ]),
    SalesSchema.entityIDs, SalesSchema.openLines,
    Migration(
      "units of a line that have left, and that the shop is done with",
      sqlite: [
        "ALTER TABLE sales_line ADD COLUMN shipped_units TEXT NOT NULL DEFAULT '{}'",
        "ALTER TABLE sales_line ADD COLUMN shop_done_units TEXT NOT NULL DEFAULT '0'",
      ],
      postgresql: [
        "ALTER TABLE sales_line ADD COLUMN shipped_units TEXT COLLATE \"C\" NOT NULL DEFAULT '{}'",
        "ALTER TABLE sales_line ADD COLUMN shop_done_units TEXT COLLATE \"C\" NOT NULL DEFAULT '0'",
      ]),
    Migration(
      "parcels of which customers get no mails",
      sqlite: ["ALTER TABLE sales_parcel ADD COLUMN is_silent INTEGER NOT NULL DEFAULT 0"],
      postgresql: ["ALTER TABLE sales_parcel ADD COLUMN is_silent SMALLINT NOT NULL DEFAULT 0"]),
    PaymentCommand.contentMigration,
    ToldAddress.migration,
    UnreadableItems.migration,
  ]
}
