/// The right to work on something for a time: of all replicas one at a time has it.
///
/// A holder can be too slow to notice that its time is over. So each lease has a number that is larger than those of all
/// earlier ones of its key. Who changes something under a lease renews it in the same transaction (``renew(_:for:now:)``),
/// which fails when another one was given meanwhile; who works outside of the store hands the number on, for the other side to
/// refuse what comes with a smaller one.
///
/// Keys are kept for ever, so that numbers only grow: they shall be few, such as the aggregates, and not e.g. orders.
public struct Lease: Sendable, Equatable {
  public let key: String
  /// Who has it; unique among those who ask, also after a restart.
  public let holder: String
  /// Larger than that of every earlier lease of the key.
  public let fence: Int64
  /// Nanoseconds since 1970, UTC.
  public let expiresAt: Int64

  /// The table, a step of the schema of each service that has leases.
  public static let migration = Migration(
    "leases",
    sqlite: [
      """
      CREATE TABLE lease (
        key TEXT NOT NULL PRIMARY KEY,
        holder TEXT NOT NULL, -- empty when it was given back
        fence INTEGER NOT NULL,
        granted_at INTEGER NOT NULL, -- both times: nanoseconds since 1970, UTC
        expires_at INTEGER NOT NULL
      ) STRICT
      """
    ],
    postgresql: [
      """
      CREATE TABLE lease (
        key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
        holder TEXT COLLATE "C" NOT NULL,
        fence BIGINT NOT NULL,
        granted_at BIGINT NOT NULL,
        expires_at BIGINT NOT NULL
      )
      """
    ])

  public static let placements: [String: Placement] = ["lease": .spread(by: "key")]
}

extension Lease {
  /// A lease that was granted later than now was granted while a clock was ahead, and would last for who knows how long. So much
  /// may the clocks of replicas differ without that being said of them.
  static let clockTolerance: Int64 = 1_000_000_000

  /// Takes the lease of `key` when nobody has it, or its holder's time is over, or the holder is the same: then the earlier
  /// lease ends, too. To be called within the body of ``Database/write(weight:key:_:)``.
  ///
  /// - Parameters:
  ///   - duration: until it has to be renewed.
  ///   - now: nanoseconds since 1970; nil for the clock that all replicas share, see ``Connection/now()``.
  /// - Returns: nil when another one has it.
  public static func acquire(
    _ connection: Connection, key: String, holder: String, for duration: Duration, now: Int64? = nil
  ) throws -> Lease? {
    let now = try now ?? connection.now()
    let expiresAt = now + Int64(clamping: duration.nanoseconds)
    return try connection.withStatement(take) { statement in
      try statement.bind(key, at: 1)
      try statement.bind(holder, at: 2)
      try statement.bind(now, at: 3)
      try statement.bind(expiresAt, at: 4)
      try statement.bind(now + clockTolerance, at: 5)
      guard try statement.step() else { return nil }
      return Lease(key: key, holder: holder, fence: statement.integer(0), expiresAt: expiresAt)
    }
  }

  /// Makes it last longer, unless another one was given: one whose time is over is still good as long as nobody took it.
  ///
  /// - Returns: the lease as it is now; nil when it is lost.
  public func renew(_ connection: Connection, for duration: Duration, now: Int64? = nil) throws -> Lease? {
    let now = try now ?? connection.now()
    let expiresAt = now + Int64(clamping: duration.nanoseconds)
    let isRenewed = try connection.withStatement(
      "UPDATE lease SET granted_at = ?4, expires_at = ?5 WHERE key = ?1 AND holder = ?2 AND fence = ?3"
    ) { statement in
      try bind(statement)
      try statement.bind(now, at: 4)
      try statement.bind(expiresAt, at: 5)
      return try statement.run() == 1
    }
    return isRenewed ? Lease(key: key, holder: holder, fence: fence, expiresAt: expiresAt) : nil
  }

  /// Gives it back before its time is over; does nothing when it is lost already.
  public func release(_ connection: Connection) throws {
    try connection.withStatement(
      "UPDATE lease SET holder = '', expires_at = 0 WHERE key = ?1 AND holder = ?2 AND fence = ?3"
    ) { statement in
      try bind(statement)
      _ = try statement.run()
    }
  }

  private func bind(_ statement: Statement) throws(StorageError) {
    try statement.bind(key, at: 1)
    try statement.bind(holder, at: 2)
    try statement.bind(fence, at: 3)
  }

  private static let take = """
    INSERT INTO lease (key, holder, fence, granted_at, expires_at) VALUES (?1, ?2, 1, ?3, ?4)
    ON CONFLICT (key) DO UPDATE SET
      holder = excluded.holder, fence = lease.fence + 1, granted_at = excluded.granted_at,
      expires_at = excluded.expires_at
    WHERE lease.expires_at <= excluded.granted_at OR lease.granted_at > ?5 OR lease.holder = excluded.holder
    RETURNING fence
    """
}
