import Storage

extension GatewaySchema {
  /// How long calls took, by endpoint and hour, and what each process had counted when it was last asked: the one goes up by what
  /// the other has grown, in one transaction.
  static let timing = Migration(
    "history of timings",
    sqlite: [
      """
      CREATE TABLE timing_hour (
        hour INTEGER NOT NULL, -- since 1970, UTC
        service TEXT NOT NULL,
        kind INTEGER NOT NULL, -- EndpointKind
        name TEXT NOT NULL,
        histogram BLOB NOT NULL, -- EndpointHistogram
        PRIMARY KEY (hour, service, kind, name)
      ) STRICT, WITHOUT ROWID
      """,
      """
      CREATE TABLE timing_counter (
        service TEXT NOT NULL,
        instance TEXT NOT NULL, -- of one start of one process
        kind INTEGER NOT NULL,
        name TEXT NOT NULL,
        histogram BLOB NOT NULL, -- EndpointHistogram, since the start of the process
        seen_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
        PRIMARY KEY (service, instance, kind, name)
      ) STRICT, WITHOUT ROWID
      """,
    ],
    postgresql: [
      """
      CREATE TABLE timing_hour (
        hour BIGINT NOT NULL,
        service TEXT COLLATE "C" NOT NULL,
        kind INTEGER NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        histogram BYTEA NOT NULL,
        PRIMARY KEY (hour, service, kind, name)
      )
      """,
      """
      CREATE TABLE timing_counter (
        service TEXT COLLATE "C" NOT NULL,
        instance TEXT COLLATE "C" NOT NULL,
        kind INTEGER NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        histogram BYTEA NOT NULL,
        seen_at BIGINT NOT NULL,
        PRIMARY KEY (service, instance, kind, name)
      )
      """,
    ])
}
