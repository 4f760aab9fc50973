import Storage

extension GatewaySchema {
  /// What several gateways on one store tell each other. On SQLite there is one.
  static let sharing = Migration(
    "several gateways",
    sqlite: [],
    postgresql: Lease.migration.statements(for: .postgresql) + [
      // HolderTask
      """
      CREATE TABLE journal_task (
        partition SMALLINT NOT NULL,
        id BIGINT NOT NULL,
        kind SMALLINT NOT NULL,
        reason TEXT NOT NULL,
        handler TEXT NOT NULL,
        version BIGINT NOT NULL, -- grows each time that it is added
        PRIMARY KEY (partition, id, kind)
      )
      """,
      // Who is there: those that have not been seen for long are deleted.
      """
      CREATE TABLE gateway_instance (
        instance TEXT COLLATE "C" PRIMARY KEY,
        seen_until BIGINT NOT NULL -- nanoseconds since 1970, UTC, by the server's clock
      )
      """,
    ])
}
