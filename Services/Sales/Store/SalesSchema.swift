import Commerce
import ServiceKit
import Storage

/// The tables of orders. All keys begin with the order's increment id, or with the shipment request's, so that rows of one order are
/// together wherever the store is spread by key. Amounts and quantities are texts, which hold them exactly; times are nanoseconds
/// since 1970, UTC.
enum SalesSchema {
  static let migrations =
    [
      orders, Inbox.migration, Outbox.migration, Outbox.refusedMigration, Lease.migration, PollPlace.migration,
      WorkQueue.migration, shipmentRequests,
    ] + FulfilmentSchema.migrations + [Inbox.keyMigration, Outbox.numberMigration]

  /// An order is in one place with all that belongs to it. A payment command is where its work is, which has its key.
  static let placements = Placement.all(
    [
      "sales_order": .spread(by: "increment_id"), "sales_order_content": .spread(by: "increment_id"),
      "sales_line": .spread(by: "increment_id"), "sales_attribute": .spread(by: "increment_id"),
      "sales_parcel": .spread(by: "increment_id"), "sales_document": .spread(by: "increment_id"),
      "sales_step": .spread(by: "increment_id"), "sales_comment": .spread(by: "increment_id"),
      "sales_told_address": .spread(by: "increment_id"),
      "sales_payment_command": .spread(by: "command_key"),
      "shipment_request": .spread(by: "request_id"), "shipment_request_line": .spread(by: "request_id"),
    ], Inbox.placements, Outbox.placements, WorkQueue.placements, Lease.placements, PollPlace.placements,
    UnreadableItems.placements)

  /// Webhooks of the shop know orders by these.
  static let entityIDs = Migration(
    "orders by the shop's entity id", sqlite: [entityIDIndex], postgresql: [entityIDIndex])
  private static let entityIDIndex =
    "CREATE INDEX sales_order_entity ON sales_order (entity_id) WHERE entity_id <> 0"

  private static let orders = Migration(
    "orders, their lines and attributes",
    sqlite: [
      """
      CREATE TABLE sales_order (
        increment_id TEXT NOT NULL PRIMARY KEY,
        entity_id INTEGER NOT NULL,
        website TEXT NOT NULL,
        store_view TEXT NOT NULL,
        channel TEXT NOT NULL,
        currency TEXT NOT NULL,
        base_currency TEXT NOT NULL,
        base_to_order_rate TEXT NOT NULL,
        grand_total TEXT NOT NULL,
        payment_method TEXT NOT NULL,
        capture_model TEXT NOT NULL, -- empty while the method is not mapped
        is_virtual INTEGER NOT NULL CHECK (is_virtual IN (0, 1)),
        export_state INTEGER NOT NULL, -- ExportState
        reason TEXT NOT NULL,
        attention TEXT NOT NULL, -- not empty: an operator has to look at it
        oms_status TEXT NOT NULL,
        oms_status_reason TEXT NOT NULL,
        oms_status_at INTEGER,
        created_at INTEGER NOT NULL,
        sent_at INTEGER,
        accepted_at INTEGER,
        delivery_id TEXT NOT NULL, -- of the last create
        original_order_id TEXT NOT NULL,
        shop_digest BLOB NOT NULL, -- of the shop's order as it was last seen, SHA-256
        updated_at INTEGER NOT NULL,
        oms_status_received_at INTEGER
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE sales_order_content ( -- the shop's order as it was last read, until the OMS has it
        increment_id TEXT NOT NULL PRIMARY KEY,
        content BLOB NOT NULL
      ) STRICT
      """,
      """
      CREATE TABLE sales_line (
        increment_id TEXT NOT NULL,
        line_number INTEGER NOT NULL,
        item_id INTEGER NOT NULL, -- 0 of shipping and services
        parent_line INTEGER NOT NULL, -- 0 without one
        kind TEXT NOT NULL,
        sku TEXT NOT NULL,
        product_id INTEGER NOT NULL, -- of the variant; 0 of shipping and services
        name TEXT NOT NULL,
        quantity TEXT NOT NULL,
        gross TEXT NOT NULL,
        tax TEXT NOT NULL,
        status TEXT NOT NULL,
        status_at INTEGER,
        source_id TEXT NOT NULL,
        shipment_request_id TEXT NOT NULL,
        shipped_at INTEGER, -- when the OMS said so
        cancelled_at INTEGER, -- when the OMS said so
        shop_done_at INTEGER, -- when the shop had shipped or cancelled it
        attributes TEXT NOT NULL, -- a JSON object of texts
        ships_together INTEGER NOT NULL CHECK (ships_together IN (0, 1)), -- of a bundle's parts
        PRIMARY KEY (increment_id, line_number)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE sales_attribute (
        increment_id TEXT NOT NULL,
        name TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (increment_id, name)
      ) STRICT, WITHOUT ROWID
      """,
    ] + orderIndexes,
    postgresql: [
      """
      CREATE TABLE sales_order (
        increment_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        entity_id BIGINT NOT NULL,
        website TEXT COLLATE "C" NOT NULL,
        store_view TEXT COLLATE "C" NOT NULL,
        channel TEXT COLLATE "C" NOT NULL,
        currency TEXT COLLATE "C" NOT NULL,
        base_currency TEXT COLLATE "C" NOT NULL,
        base_to_order_rate TEXT COLLATE "C" NOT NULL,
        grand_total TEXT COLLATE "C" NOT NULL,
        payment_method TEXT COLLATE "C" NOT NULL,
        capture_model TEXT COLLATE "C" NOT NULL,
        is_virtual SMALLINT NOT NULL CHECK (is_virtual IN (0, 1)),
        export_state BIGINT NOT NULL,
        reason TEXT COLLATE "C" NOT NULL,
        attention TEXT COLLATE "C" NOT NULL,
        oms_status TEXT COLLATE "C" NOT NULL,
        oms_status_reason TEXT COLLATE "C" NOT NULL,
        oms_status_at BIGINT,
        created_at BIGINT NOT NULL,
        sent_at BIGINT,
        accepted_at BIGINT,
        delivery_id TEXT COLLATE "C" NOT NULL,
        original_order_id TEXT COLLATE "C" NOT NULL,
        shop_digest BYTEA NOT NULL,
        updated_at BIGINT NOT NULL,
        oms_status_received_at BIGINT
      ) WITH (fillfactor = 80)
      """,
      """
      CREATE TABLE sales_order_content (
        increment_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        content BYTEA NOT NULL
      )
      """,
      """
      CREATE TABLE sales_line (
        increment_id TEXT COLLATE "C" NOT NULL,
        line_number BIGINT NOT NULL,
        item_id BIGINT NOT NULL,
        parent_line BIGINT NOT NULL,
        kind TEXT COLLATE "C" NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        product_id BIGINT NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        quantity TEXT COLLATE "C" NOT NULL,
        gross TEXT COLLATE "C" NOT NULL,
        tax TEXT COLLATE "C" NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        status_at BIGINT,
        source_id TEXT COLLATE "C" NOT NULL,
        shipment_request_id TEXT COLLATE "C" NOT NULL,
        shipped_at BIGINT,
        cancelled_at BIGINT,
        shop_done_at BIGINT,
        attributes TEXT COLLATE "C" NOT NULL,
        ships_together SMALLINT NOT NULL CHECK (ships_together IN (0, 1)),
        PRIMARY KEY (increment_id, line_number)
      ) WITH (fillfactor = 80)
      """,
      """
      CREATE TABLE sales_attribute (
        increment_id TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        value TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (increment_id, name)
      )
      """,
    ] + orderIndexes)

  private static let orderIndexes = [
    "CREATE INDEX sales_order_newest ON sales_order (created_at, increment_id)",
    "CREATE INDEX sales_order_of_state ON sales_order (export_state, created_at, increment_id)",
    // What waits for an operator, and what an error names, are few.
    "CREATE INDEX sales_order_attention ON sales_order (created_at, increment_id) WHERE attention <> ''",
    "CREATE INDEX sales_order_delivery ON sales_order (delivery_id) WHERE delivery_id <> ''",
    "CREATE INDEX sales_line_open ON sales_line (sku) WHERE shop_done_at IS NULL AND kind = 'PHYSICAL'",
  ]

  /// Virtual products have open units, too.
  static let openLines = Migration(
    "open lines of all kinds",
    ["DROP INDEX sales_line_open", "CREATE INDEX sales_line_open ON sales_line (sku) WHERE shop_done_at IS NULL"])

  private static let shipmentRequests = Migration(
    "shipment requests to the warehouse",
    sqlite: [
      """
      CREATE TABLE shipment_request (
        request_id TEXT NOT NULL PRIMARY KEY,
        increment_id TEXT NOT NULL,
        source_id TEXT NOT NULL,
        shipping_method TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        open_lines INTEGER NOT NULL -- that have not ended
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE shipment_request_line (
        request_id TEXT NOT NULL,
        line_number INTEGER NOT NULL,
        sku TEXT NOT NULL,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        ending TEXT NOT NULL, -- how it ended, as it was reported; empty while it has not
        delivery_id TEXT NOT NULL, -- of the message that told the OMS so
        item TEXT NOT NULL, -- the line as the OMS wrote it, JSON
        PRIMARY KEY (request_id, line_number)
      ) STRICT, WITHOUT ROWID
      """,
    ] + shipmentRequestIndexes,
    postgresql: [
      """
      CREATE TABLE shipment_request (
        request_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        increment_id TEXT COLLATE "C" NOT NULL,
        source_id TEXT COLLATE "C" NOT NULL,
        shipping_method TEXT COLLATE "C" NOT NULL,
        created_at BIGINT NOT NULL,
        open_lines BIGINT NOT NULL
      )
      """,
      """
      CREATE TABLE shipment_request_line (
        request_id TEXT COLLATE "C" NOT NULL,
        line_number BIGINT NOT NULL,
        sku TEXT COLLATE "C" NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        status TEXT COLLATE "C" NOT NULL,
        ending TEXT COLLATE "C" NOT NULL,
        delivery_id TEXT COLLATE "C" NOT NULL,
        item TEXT COLLATE "C" NOT NULL,
        PRIMARY KEY (request_id, line_number)
      )
      """,
    ] + shipmentRequestIndexes)

  private static let shipmentRequestIndexes = [
    "CREATE INDEX shipment_request_newest ON shipment_request (created_at, request_id)",
    "CREATE INDEX shipment_request_open ON shipment_request (created_at, request_id) WHERE open_lines > 0",
  ]
}
