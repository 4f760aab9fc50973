import Commerce
import Storage

/// The store of returns and refunds.
enum PostSalesSchema {
  static let migrations =
    [Inbox.migration, Outbox.migration, Outbox.refusedMigration, WorkQueue.migration, Lease.migration]
    + [
      PollPlace.migration, refunds, returns, returnedQuantities, onlineAttempts, returnDeliveries, refusals,
      UnreadableItems.migration, Inbox.keyMigration, Outbox.numberMigration, returnNames,
    ]

  /// A refund or return is in one place with all that belongs to it.
  static let placements = Placement.all(
    [
      "refund": .spread(by: "credit_note"), "refund_line": .spread(by: "credit_note"),
      "refund_memo": .spread(by: "credit_note"),
      "goods_return": .spread(by: "key"), "goods_return_line": .spread(by: "key"),
    ], Inbox.placements, Outbox.placements, WorkQueue.placements, Lease.placements, PollPlace.placements,
    UnreadableItems.placements)

  /// Amounts are decimal texts: exact, and never calculated with in SQL.
  private static let refunds = Migration(
    "refunds",
    sqlite: [
      """
      CREATE TABLE refund (
        credit_note TEXT NOT NULL PRIMARY KEY,
        increment_id TEXT NOT NULL,
        state INTEGER NOT NULL, -- of RefundState
        type TEXT NOT NULL,
        rma TEXT NOT NULL,
        status TEXT NOT NULL, -- the OMS's
        status_reason TEXT NOT NULL,
        status_at INTEGER NOT NULL, -- this and other times: nanoseconds since 1970, UTC; 0 for none
        amount TEXT NOT NULL,
        currency TEXT NOT NULL,
        refunded TEXT NOT NULL,
        credit TEXT NOT NULL, -- store credit that it is owed
        is_credited INTEGER NOT NULL,
        reason TEXT NOT NULL,
        attributes TEXT NOT NULL, -- a JSON object
        is_silent INTEGER NOT NULL, -- no mail to the customer
        expected TEXT NOT NULL, -- what the memo comes to that is being made; empty when none is
        attempted_at INTEGER NOT NULL,
        note TEXT NOT NULL, -- of who settled it by hand
        created_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL
      ) STRICT
      """,
      "CREATE INDEX refund_order ON refund (increment_id)",
      "CREATE INDEX refund_created ON refund (created_at, credit_note)",
      """
      CREATE TABLE refund_line (
        credit_note TEXT NOT NULL,
        line_number INTEGER NOT NULL,
        amount TEXT NOT NULL,
        reason TEXT NOT NULL,
        item_id INTEGER NOT NULL, -- 0 until it is known
        sku TEXT NOT NULL,
        is_whole INTEGER NOT NULL,
        PRIMARY KEY (credit_note, line_number)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE refund_memo (
        credit_note TEXT NOT NULL,
        memo_id INTEGER NOT NULL,
        invoice_id INTEGER NOT NULL,
        is_online INTEGER NOT NULL,
        amount TEXT NOT NULL,
        PRIMARY KEY (credit_note, memo_id)
      ) STRICT, WITHOUT ROWID
      """,
    ],
    postgresql: [
      """
      CREATE TABLE refund (
        credit_note TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        increment_id TEXT COLLATE "C" NOT NULL,
        state BIGINT NOT NULL,
        type TEXT NOT NULL,
        rma TEXT NOT NULL,
        status TEXT NOT NULL,
        status_reason TEXT NOT NULL,
        status_at BIGINT NOT NULL,
        amount TEXT NOT NULL,
        currency TEXT NOT NULL,
        refunded TEXT NOT NULL,
        credit TEXT NOT NULL,
        is_credited SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        attributes TEXT NOT NULL,
        is_silent SMALLINT NOT NULL,
        expected TEXT NOT NULL,
        attempted_at BIGINT NOT NULL,
        note TEXT NOT NULL,
        created_at BIGINT NOT NULL,
        due_at BIGINT NOT NULL
      )
      """,
      "CREATE INDEX refund_order ON refund (increment_id)",
      "CREATE INDEX refund_created ON refund (created_at, credit_note)",
      """
      CREATE TABLE refund_line (
        credit_note TEXT COLLATE "C" NOT NULL,
        line_number BIGINT NOT NULL,
        amount TEXT NOT NULL,
        reason TEXT NOT NULL,
        item_id BIGINT NOT NULL,
        sku TEXT NOT NULL,
        is_whole SMALLINT NOT NULL,
        PRIMARY KEY (credit_note, line_number)
      )
      """,
      """
      CREATE TABLE refund_memo (
        credit_note TEXT COLLATE "C" NOT NULL,
        memo_id BIGINT NOT NULL,
        invoice_id BIGINT NOT NULL,
        is_online SMALLINT NOT NULL,
        amount TEXT NOT NULL,
        PRIMARY KEY (credit_note, memo_id)
      )
      """,
    ])

  /// Empty where nobody has said how many units come back.
  private static let returnedQuantities = Migration(
    "quantities of returned lines",
    sqlite: ["ALTER TABLE goods_return_line ADD COLUMN quantity TEXT NOT NULL DEFAULT ''"],
    postgresql: ["ALTER TABLE goods_return_line ADD COLUMN quantity TEXT NOT NULL DEFAULT ''"])

  /// Of a memo that was being made before it was noted whether the payment gateway is asked, it may be.
  private static let onlineAttempts = Migration(
    "whether the payment gateway is asked for a refund",
    sqlite: ["ALTER TABLE refund ADD COLUMN is_expected_online INTEGER NOT NULL DEFAULT 1"],
    postgresql: ["ALTER TABLE refund ADD COLUMN is_expected_online SMALLINT NOT NULL DEFAULT 1"])

  /// The OMS names a delivery that it could not use.
  private static let returnDeliveries = Migration(
    "returns by the message that asked for them",
    sqlite: ["CREATE INDEX goods_return_delivery ON goods_return (delivery_id) WHERE delivery_id <> ''"],
    postgresql: ["CREATE INDEX goods_return_delivery ON goods_return (delivery_id) WHERE delivery_id <> ''"])

  private static let refusals = Migration(
    "refusals of credit memos",
    sqlite: ["ALTER TABLE refund ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0"],
    postgresql: ["ALTER TABLE refund ADD COLUMN refusals BIGINT NOT NULL DEFAULT 0"])

  /// That a name or a return of the shop is in one record is checked when a record is saved: to be unique, these would need the key
  /// in them, by which records are spread, see ``ReturnStore/save(_:_:)``.
  private static let returnNames = Migration(
    "names of returns where the returns are",
    sqlite: [],
    postgresql: [
      "DROP INDEX goods_return_rma",
      "DROP INDEX goods_return_entity",
      "CREATE INDEX goods_return_rma ON goods_return (rma) WHERE rma <> ''",
      "CREATE INDEX goods_return_entity ON goods_return (entity_id) WHERE entity_id <> 0",
    ])

  private static let returns = Migration(
    "returns",
    sqlite: [
      """
      CREATE TABLE goods_return (
        key TEXT NOT NULL PRIMARY KEY,
        rma TEXT NOT NULL,
        shop_number TEXT NOT NULL,
        increment_id TEXT NOT NULL,
        entity_id INTEGER NOT NULL,
        state INTEGER NOT NULL,
        oms_status TEXT NOT NULL,
        oms_reason TEXT NOT NULL,
        status_at INTEGER NOT NULL,
        is_blind INTEGER NOT NULL,
        reason TEXT NOT NULL,
        needs_attention INTEGER NOT NULL,
        tracking_number TEXT NOT NULL,
        tracking_carrier TEXT NOT NULL,
        tracking_url TEXT NOT NULL,
        label_url TEXT NOT NULL,
        attributes TEXT NOT NULL,
        delivery_id TEXT NOT NULL,
        attempted_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT
      """,
      "CREATE INDEX goods_return_order ON goods_return (increment_id)",
      "CREATE INDEX goods_return_created ON goods_return (created_at, key)",
      "CREATE UNIQUE INDEX goods_return_rma ON goods_return (rma) WHERE rma <> ''",
      "CREATE UNIQUE INDEX goods_return_entity ON goods_return (entity_id) WHERE entity_id <> 0",
      """
      CREATE TABLE goods_return_line (
        key TEXT NOT NULL,
        position INTEGER NOT NULL,
        line_number INTEGER NOT NULL,
        item_id INTEGER NOT NULL,
        sku TEXT NOT NULL,
        reason TEXT NOT NULL,
        condition_code TEXT NOT NULL,
        status TEXT NOT NULL,
        PRIMARY KEY (key, position)
      ) STRICT, WITHOUT ROWID
      """,
    ],
    postgresql: [
      """
      CREATE TABLE goods_return (
        key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        rma TEXT COLLATE "C" NOT NULL,
        shop_number TEXT NOT NULL,
        increment_id TEXT COLLATE "C" NOT NULL,
        entity_id BIGINT NOT NULL,
        state BIGINT NOT NULL,
        oms_status TEXT NOT NULL,
        oms_reason TEXT NOT NULL,
        status_at BIGINT NOT NULL,
        is_blind SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        needs_attention SMALLINT NOT NULL,
        tracking_number TEXT NOT NULL,
        tracking_carrier TEXT NOT NULL,
        tracking_url TEXT NOT NULL,
        label_url TEXT NOT NULL,
        attributes TEXT NOT NULL,
        delivery_id TEXT NOT NULL,
        attempted_at BIGINT NOT NULL,
        created_at BIGINT NOT NULL
      )
      """,
      "CREATE INDEX goods_return_order ON goods_return (increment_id)",
      "CREATE INDEX goods_return_created ON goods_return (created_at, key)",
      "CREATE UNIQUE INDEX goods_return_rma ON goods_return (rma) WHERE rma <> ''",
      "CREATE UNIQUE INDEX goods_return_entity ON goods_return (entity_id) WHERE entity_id <> 0",
      """
      CREATE TABLE goods_return_line (
        key TEXT COLLATE "C" NOT NULL,
        position BIGINT NOT NULL,
        line_number BIGINT NOT NULL,
        item_id BIGINT NOT NULL,
        sku TEXT NOT NULL,
        reason TEXT NOT NULL,
        condition_code TEXT NOT NULL,
        status TEXT NOT NULL,
        PRIMARY KEY (key, position)
      )
      """,
    ])
}
