extension Outbox {
  /// The tables, a step of the schema of each service that has an outbox.
  ///
  /// A row's id is a part of its delivery id, by which the gateway knows a message that it has already: so an id is never
  /// used again, though its row is gone (AUTOINCREMENT; on PostgreSQL, ``takeIDs(_:for:)``) or the store was brought back from a
  /// backup (``RestoredOutbox``), and a store that is made anew has other ids (store_id).
  public static let migration = Migration(
    "outbox",
    sqlite: [
      """
      CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        method TEXT NOT NULL,
        message_key TEXT NOT NULL,
        route INTEGER NOT NULL,
        body BLOB NOT NULL,
        created_at INTEGER NOT NULL -- nanoseconds since 1970, UTC
      ) STRICT
      """,
      """
      CREATE TABLE outbox_refused ( -- what the gateway will never take
        id INTEGER PRIMARY KEY,
        method TEXT NOT NULL,
        message_key TEXT NOT NULL,
        route INTEGER NOT NULL,
        body BLOB NOT NULL,
        created_at INTEGER NOT NULL,
        refused_at INTEGER NOT NULL,
        reason TEXT NOT NULL
      ) STRICT
      """,
      "CREATE TABLE outbox_store (store_id TEXT NOT NULL, holder TEXT NOT NULL, held_until INTEGER NOT NULL) STRICT",
      "INSERT INTO outbox_store (store_id, holder, held_until) VALUES (lower(hex(randomblob(8))), '', 0)",
    ],
    postgresql: [
      """
      CREATE TABLE outbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        method TEXT COLLATE "C" NOT NULL,
        message_key TEXT COLLATE "C" NOT NULL,
        route BIGINT NOT NULL,
        body BYTEA NOT NULL,
        created_at BIGINT NOT NULL -- nanoseconds since 1970, UTC
      )
      """,
      """
      CREATE TABLE outbox_refused ( -- what the gateway will never take
        id BIGINT PRIMARY KEY,
        method TEXT COLLATE "C" NOT NULL,
        message_key TEXT COLLATE "C" NOT NULL,
        route BIGINT NOT NULL,
        body BYTEA NOT NULL,
        created_at BIGINT NOT NULL,
        refused_at BIGINT NOT NULL,
        reason TEXT COLLATE "C" NOT NULL
      )
      """,
      """
      CREATE TABLE outbox_store (
        store_id TEXT COLLATE "C" NOT NULL, holder TEXT COLLATE "C" NOT NULL, held_until BIGINT NOT NULL)
      """,
      """
      INSERT INTO outbox_store (store_id, holder, held_until)
      VALUES (left(replace(gen_random_uuid()::text, '-', ''), 16), '', 0)
      """,
    ])

  /// What operators did about refused messages, a step behind ``migration``.
  public static let refusedMigration = Migration(
    "what became of refused messages",
    sqlite: [
      "ALTER TABLE outbox_refused ADD COLUMN state INTEGER NOT NULL DEFAULT 1",  // RefusedRow.State
      "ALTER TABLE outbox_refused ADD COLUMN handled_by TEXT NOT NULL DEFAULT ''",
      "ALTER TABLE outbox_refused ADD COLUMN handled_at INTEGER",
      "ALTER TABLE outbox_refused ADD COLUMN outcome TEXT NOT NULL DEFAULT ''",
      openRefused,
    ],
    postgresql: [
      "ALTER TABLE outbox_refused ADD COLUMN state SMALLINT NOT NULL DEFAULT 1",
      "ALTER TABLE outbox_refused ADD COLUMN handled_by TEXT COLLATE \"C\" NOT NULL DEFAULT ''",
      "ALTER TABLE outbox_refused ADD COLUMN handled_at BIGINT",
      "ALTER TABLE outbox_refused ADD COLUMN outcome TEXT COLLATE \"C\" NOT NULL DEFAULT ''",
      openRefused,
    ])

  /// Numbers that come from no sequence, a step behind ``migration``: see ``takeIDs(_:for:)``. Messages of before keep their ids,
  /// by which the gateway may know them; all new ones are larger.
  ///
  /// Rows of `outbox_number` change all the time: the room is for their next versions.
  public static let numberMigration = Migration(
    "outbox without a sequence",
    sqlite: [],
    postgresql: [
      "ALTER TABLE outbox ALTER COLUMN id DROP IDENTITY",
      """
      CREATE TABLE outbox_number (
        bucket INTEGER NOT NULL PRIMARY KEY, -- of messages' keys
        last_number BIGINT NOT NULL,
        taken BIGINT NOT NULL -- the last time
      ) WITH (fillfactor = 50)
      """,
    ])

  /// A message is put aside where it was.
  public static let placements: [String: Placement] = [
    "outbox": .spread(by: "id"), "outbox_refused": .spread(by: "id"), "outbox_store": .everywhere,
    "outbox_number": .spread(by: "bucket"),
  ]

  private static let openRefused = "CREATE INDEX outbox_refused_open ON outbox_refused (id) WHERE state = 1"
}
