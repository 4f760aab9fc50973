import Storage

extension GatewaySchema {
  /// The journal in parts, so that several gateways can work on it: see ``JournalPartition``. On SQLite all is in one part, and its
  /// numbers stay as they are.
  ///
  /// On PostgreSQL every unique key has the partition in it, by which a table could be spread over machines, and numbers come
  /// from no sequence. Messages of before get new numbers, in their old order, for which the table is copied once. (Only
  /// PostgreSQL itself has messages of before; CockroachDB's sha256 answers a text.)
  static let partitions = Migration(
    "partitions of the journal",
    sqlite: ["ALTER TABLE journal ADD COLUMN partition INTEGER NOT NULL DEFAULT 0"],
    postgresql: [
      "ALTER TABLE journal RENAME TO journal_before",
      """
      CREATE TABLE journal (
        id BIGINT NOT NULL, -- JournalPartition.serverCount times a number of the partition, and the partition
        partition SMALLINT NOT NULL,
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
        original_reason TEXT NOT NULL DEFAULT '',
        result BYTEA NOT NULL DEFAULT '',
        replay_count INTEGER NOT NULL DEFAULT 0,
        handled_by TEXT NOT NULL DEFAULT '',
        handled_at BIGINT,
        CONSTRAINT journal_number PRIMARY KEY (id, partition)
      )
      """,
      """
      INSERT INTO journal
        (id, partition, direction, status, delivery_id, digest, method, message_key, destination, body, traceparent,
         received_at, finished_at, attempt_count, attempts, next_attempt_at, reason, original_reason, result,
         replay_count, handled_by, handled_at)
      SELECT
        id * 16 + part, part, direction, status, delivery_id, digest, method, message_key, destination, body, traceparent,
        received_at, finished_at, attempt_count, attempts, next_attempt_at, reason, original_reason, result,
        replay_count, handled_by, handled_at
      FROM (
        SELECT journal_before.*, get_byte(sha256(int8send(octet_length(name)) || convert_to(name, 'UTF8')), 0) % 16 AS part
        FROM journal_before
        CROSS JOIN LATERAL (SELECT CASE WHEN message_key = '' THEN delivery_id ELSE message_key END AS name) AS named
      ) AS parted
      """,
      "DROP TABLE journal_before",
      "CREATE UNIQUE INDEX journal_delivery ON journal (delivery_id, digest, direction, partition)",
      "CREATE INDEX journal_pending ON journal (destination, partition, id) WHERE status = 1",
      "CREATE INDEX journal_key ON journal (message_key, id)",
      "CREATE INDEX journal_trouble ON journal (status, id) WHERE status > 2",
      """
      CREATE INDEX journal_due ON journal (destination, partition, next_attempt_at, id)
      WHERE status = 1 AND next_attempt_at IS NOT NULL
      """,
      // Rows that change all the time: the room is for their next versions.
      """
      CREATE TABLE journal_partition (
        partition SMALLINT PRIMARY KEY,
        last_number BIGINT NOT NULL,
        changes BIGINT NOT NULL -- how often a message was changed that its holder may have read already
      ) WITH (fillfactor = 10)
      """,
      """
      INSERT INTO journal_partition (partition, last_number, changes)
      SELECT part, (SELECT COALESCE(MAX(id), 0) / 16 FROM journal), 0 FROM generate_series(0, 15) AS part
      """,
    ])
}
