import Storage

/// What the gateway keeps: the journal, which is its inbox and its outbox at the same time.
enum GatewaySchema {
  static let migrations = [
    journal, timing, registration, journalSearch, dueMessages, originalReason, registrationAbsence,
    partitions, sharing, sharedRegistration,
  ]

  /// A message is where its partition is, with what is to be done about it. Timings are merged where their endpoint is.
  static let placements = Placement.all(
    [
      "journal": .spread(by: "partition"), "journal_partition": .spread(by: "partition"),
      "journal_task": .spread(by: "partition"),
      "timing_hour": .spread(by: "name"), "timing_counter": .spread(by: "name"), "gateway_timing": .spread(by: "name"),
      "gateway_instance": .everywhere, "registration": .everywhere, "registration_topic": .everywhere,
      "registration_state": .everywhere, "registration_wish": .everywhere,
    ], Lease.placements)

  /// A message is one row from the moment that it is durable. That it waits is a status, not a second row, so that the journal
  /// and the queue can't disagree.
  private static let journal = Migration(
    "journal of messages",
    sqlite: [
      """
      CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        direction INTEGER NOT NULL CHECK (direction IN (1, 2)), -- MessageDirection
        status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 5), -- MessageStatus
        delivery_id TEXT NOT NULL,
        digest BLOB NOT NULL, -- SHA-256 of method and params; of an outgoing message, empty: its id is unique by itself
        method TEXT NOT NULL,
        message_key TEXT NOT NULL,
        destination TEXT NOT NULL,
        body BLOB NOT NULL, -- the bytes as they came; of an outgoing message, the params
        traceparent TEXT NOT NULL, -- W3C trace context
        received_at INTEGER NOT NULL, -- these and all times: nanoseconds since 1970, UTC
        finished_at INTEGER,
        attempt_count INTEGER NOT NULL DEFAULT 0,
        attempts BLOB NOT NULL DEFAULT x'', -- AttemptLog
        next_attempt_at INTEGER,
        reason TEXT NOT NULL DEFAULT '',
        result BLOB NOT NULL DEFAULT x'',
        replay_count INTEGER NOT NULL DEFAULT 0,
        handled_by TEXT NOT NULL DEFAULT '',
        handled_at INTEGER
      ) STRICT
      """
    ] + indexes,
    postgresql: [
      """
      CREATE TABLE journal (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        direction SMALLINT NOT NULL CHECK (direction IN (1, 2)),
        status SMALLINT NOT NULL CHECK (status BETWEEN 1 AND 5),
        delivery_id TEXT COLLATE "C" NOT NULL,
        digest BYTEA NOT NULL,
        method TEXT COLLATE "C" NOT NULL,
        message_key TEXT COLLATE "C" NOT NULL,
        destination TEXT COLLATE "C" NOT NULL,
        body BYTEA NOT NULL,
        traceparent TEXT NOT NULL,
        received_at BIGINT NOT NULL,
        finished_at BIGINT,
        attempt_count INTEGER NOT NULL DEFAULT 0,
        attempts BYTEA NOT NULL DEFAULT '',
        next_attempt_at BIGINT,
        reason TEXT NOT NULL DEFAULT '',
        result BYTEA NOT NULL DEFAULT '',
        replay_count INTEGER NOT NULL DEFAULT 0,
        handled_by TEXT NOT NULL DEFAULT '',
        handled_at BIGINT
      )
      """
    ] + indexes)

  private static let indexes = [
    // The same delivery again finds itself here.
    "CREATE UNIQUE INDEX journal_delivery ON journal (delivery_id, digest, direction)",
    // What waits, in its order.
    "CREATE INDEX journal_pending ON journal (destination, id) WHERE status = 1",
    // All about one order, and the next of a key.
    "CREATE INDEX journal_key ON journal (message_key, id)",
  ]
}
