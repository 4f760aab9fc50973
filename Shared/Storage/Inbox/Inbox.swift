/// Which deliveries have had their effect, and what they were answered.
///
/// A sender that hears no answer sends again. So the note that a delivery has had its effect commits together with the
/// effect: whatever happens between that commit and the answer, the delivery changes nothing when it comes again.
public enum Inbox {
  /// The table, a step of the schema of each service that has an inbox.
  ///
  /// Rows are appended and the oldest removed: the digests are spread over all of the index, the rows are not.
  public static let migration = Migration(
    "inbox",
    sqlite: [
      """
      CREATE TABLE inbox (
        id INTEGER PRIMARY KEY,
        identity BLOB NOT NULL UNIQUE, -- SHA-256
        content BLOB NOT NULL, -- SHA-256, or nothing when identity covers it
        method TEXT NOT NULL,
        noted_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
        result BLOB NOT NULL
      ) STRICT
      """
    ],
    postgresql: [
      """
      CREATE TABLE inbox (
        id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        identity BYTEA NOT NULL UNIQUE, -- SHA-256
        content BYTEA NOT NULL, -- SHA-256, or nothing when identity covers it
        method TEXT COLLATE "C" NOT NULL,
        noted_at BIGINT NOT NULL, -- nanoseconds since 1970, UTC
        result BYTEA NOT NULL
      )
      """
    ])

  /// A step behind ``migration``: on PostgreSQL a note is known by its digest alone, and its age by its time. A number of its own
  /// would be the same for all machines that a store may be spread over, and nobody asks for it.
  ///
  /// SQLite keeps the number, which is the row's place there.
  public static let keyMigration = Migration(
    "inbox without numbers",
    sqlite: [],
    postgresql: [
      "ALTER TABLE inbox DROP CONSTRAINT inbox_pkey",
      "ALTER TABLE inbox DROP CONSTRAINT inbox_identity_key",
      "ALTER TABLE inbox DROP COLUMN id",
      "ALTER TABLE inbox ADD PRIMARY KEY (identity)",
      "CREATE INDEX inbox_noted_at ON inbox (noted_at)",
    ])

  public static let placements: [String: Placement] = ["inbox": .spread(by: "identity")]

  /// What has become of a delivery. Either way its effect is there once the transaction commits.
  public enum Outcome<Value: Sendable>: Sendable {
    /// It has had its effect now.
    case done(Value, result: [UInt8])
    /// It had its effect before; this is what it was answered then.
    case known(result: [UInt8])

    /// What to answer.
    public var result: [UInt8] {
      switch self {
      case .done(_, let result), .known(let result): result
      }
    }
  }

  /// Lets a delivery have its effect unless it has had it. To be called within the body of ``Database/write(weight:_:)``.
  ///
  /// The note comes before the effect: of two replicas that are at the same delivery, the second waits here until the first
  /// has committed, and then finds its result.
  ///
  /// - Parameter effect: makes the changes, and answers them and the bytes to be kept as the delivery's answer.
  /// - Throws: what `effect` throws, ``RequestIDReused``, or ``StorageError``. The caller's body has to pass it on, so that the
  ///   note is taken back.
  public static func once<Value: Sendable>(
    _ connection: Connection, _ delivery: Delivery, now: Int64 = WallClock.nanoseconds(),
    effect: (Connection) throws -> (value: Value, result: [UInt8])
  ) throws -> Outcome<Value> {
    guard try note(delivery, now, connection) else { return .known(result: try kept(delivery, connection)) }
    let (value, result) = try effect(connection)
    try connection.withStatement("UPDATE inbox SET result = ?2 WHERE identity = ?1") { statement throws(StorageError) in
      try statement.bind(delivery.identity, at: 1)
      try statement.bind(result, at: 2)
      _ = try statement.run()
    }
    return .done(value, result: result)
  }

  /// - Returns: false when there is a note already.
  private static func note(_ delivery: Delivery, _ now: Int64, _ connection: Connection) throws -> Bool {
    try connection.withStatement(
      """
      INSERT INTO inbox (identity, content, method, noted_at, result) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (identity) DO NOTHING
      """
    ) { statement throws(StorageError) in
      try statement.bind(delivery.identity, at: 1)
      try statement.bind(delivery.content, at: 2)
      try statement.bind(delivery.method, at: 3)
      try statement.bind(now, at: 4)
      try statement.bind([UInt8](), at: 5)
      return try statement.run() == 1
    }
  }

  private static func kept(_ delivery: Delivery, _ connection: Connection) throws -> [UInt8] {
    try connection.withStatement("SELECT content, result FROM inbox WHERE identity = ?1") { statement in
      try statement.bind(delivery.identity, at: 1)
      guard try statement.step() else {
        // Retention removed it just now, on another replica.
        throw StorageError(.locked, "the note of a delivery is gone", remedy: "send it again")
      }
      if statement.blob(0) != delivery.content { throw RequestIDReused() }
      return statement.blob(1)
    }
  }
}
