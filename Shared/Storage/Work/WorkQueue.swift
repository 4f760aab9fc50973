/// Keys that something outside of the store is to be done for: orders whose shop side is behind, refunds to be made, stock to be
/// pushed. A key is added in the transaction that makes it due, worked on by one replica at a time, and gone when that is done.
///
/// What a key stands for is a state, not a message: adding it twice means doing it once, and adding it while somebody works on it
/// means doing it once more.
///
/// A worker has a key for a time, which it prolongs while it works. One that is too slow to notice that its time is over may go on
/// beside the next: what is done outside of the store has to be looked up there before it is done.
public struct WorkQueue: Sendable {
  /// What is done for its keys: several queues share a store.
  public let kind: String

  public init(kind: String) { self.kind = kind }

  /// The table, a step of the schema of each service that has such queues. Both of its columns that find a row come with the key,
  /// so that the table can be spread over machines by it.
  public static let migration = Migration(
    "work to be done outside of the store",
    sqlite: [
      """
      CREATE TABLE work (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        version INTEGER NOT NULL, -- grows each time the key is added
        due_at INTEGER NOT NULL, -- this and other times: nanoseconds since 1970, UTC
        added_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        parked INTEGER NOT NULL CHECK (parked IN (0, 1)), -- waits for an operator, or to be added again
        reason TEXT NOT NULL, -- why the last attempt ended without being done
        holder TEXT NOT NULL, -- empty when nobody works on it
        held_until INTEGER NOT NULL,
        PRIMARY KEY (kind, key)
      ) STRICT, WITHOUT ROWID
      """,
      "CREATE INDEX work_due ON work (kind, due_at) WHERE parked = 0",
    ],
    postgresql: [
      """
      CREATE TABLE work (
        kind TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        version BIGINT NOT NULL,
        due_at BIGINT NOT NULL,
        added_at BIGINT NOT NULL,
        attempts BIGINT NOT NULL,
        parked SMALLINT NOT NULL CHECK (parked IN (0, 1)),
        reason TEXT NOT NULL,
        holder TEXT COLLATE "C" NOT NULL,
        held_until BIGINT NOT NULL,
        PRIMARY KEY (kind, key)
      )
      """,
      "CREATE INDEX work_due ON work (kind, due_at) WHERE parked = 0",
    ])
}

/// A key that a worker has.
public struct WorkItem: Sendable, Equatable {
  public let kind: String
  public let key: String
  /// Attempts before this one since it was last done.
  public let attempts: Int
  /// When it was first added since then; nanoseconds since 1970.
  public let addedAt: Int64
  let version: Int64
  let holder: String
}

/// A key that waits, for whoever looks.
public struct WaitingWork: Sendable, Equatable {
  public let key: String
  /// Nanoseconds since 1970.
  public let dueAt: Int64
  public let addedAt: Int64
  public let attempts: Int
  /// Whether it waits for an operator rather than for its time.
  public let isParked: Bool
  /// Why the last attempt ended without being done; empty before the first.
  public let reason: String
}

extension WorkQueue {
  /// Makes a key due, also one that is parked, or due later. To be called within the body of ``Database/write(weight:key:_:)``
  /// that changes what the key stands for.
  ///
  /// - Parameters:
  ///   - after: from now; it never makes later what is due earlier.
  ///   - now: nanoseconds since 1970; nil for the clock that all replicas share.
  public func add(_ connection: Connection, _ key: String, after: Duration = .zero, now: Int64? = nil) throws {
    let now = try now ?? connection.now()
    let due = now + Int64(clamping: after.nanoseconds)
    try connection.withStatement(Self.insert) { statement throws(StorageError) in
      try statement.bind(kind, at: 1)
      try statement.bind(key, at: 2)
      try statement.bind(due, at: 3)
      try statement.bind(now, at: 4)
      _ = try statement.run()
    }
  }

  /// Takes keys that are due and that nobody has, the longest due first.
  ///
  /// - Parameters:
  ///   - limit: at most this many.
  ///   - duration: until which it has to be prolonged, see ``prolong(_:_:for:now:)``.
  public func claim(
    _ connection: Connection, limit: Int, holder: String, for duration: Duration, now: Int64? = nil
  ) throws -> [WorkItem] {
    let now = try now ?? connection.now()
    let keys = try connection.withStatement(Self.due) { statement in
      try statement.bind(kind, at: 1)
      try statement.bind(now, at: 2)
      try statement.bind(Int64(limit), at: 3)
      var keys: [String] = []
      while try statement.step() { keys.append(statement.text(0)) }
      return keys
    }
    return try keys.compactMap { key in
      // Of its own for each claim: a worker whose time is over must not be taken for the next one of the same process.
      let holder = "\(holder) \(String(UInt64.random(in: .min ... .max), radix: 36))"
      return try connection.withStatement(Self.take) { statement in
        try statement.bind(kind, at: 1)
        try statement.bind(key, at: 2)
        try statement.bind(holder, at: 3)
        try statement.bind(now + Int64(clamping: duration.nanoseconds), at: 4)
        try statement.bind(now, at: 5)
        // Another replica may have been faster.
        guard try statement.step() else { return nil }
        let item = WorkItem(
          kind: kind, key: key, attempts: Int(statement.integer(1)), addedAt: statement.integer(2),
          version: statement.integer(0), holder: holder)
        return item
      }
    }
  }

  /// When the next key that nobody has is due; nil when there is none.
  public func nextDue(_ connection: Connection) throws -> Int64? {
    try connection.withStatement(
      "SELECT MIN(CASE WHEN held_until > due_at THEN held_until ELSE due_at END) FROM work WHERE kind = ?1 AND parked = 0"
    ) { statement in
      try statement.bind(kind, at: 1)
      return try statement.step() && !statement.isNull(0) ? statement.integer(0) : nil
    }
  }

  /// Says that the holder still works on it.
  ///
  /// - Returns: false when another one has it.
  public func prolong(
    _ connection: Connection, _ item: WorkItem, for duration: Duration, now: Int64? = nil
  ) throws -> Bool {
    let until = try (now ?? connection.now()) + Int64(clamping: duration.nanoseconds)
    return try update(connection, item, "held_until = ?4") { try $0.bind(until, at: 4) }
  }

  /// It is done, unless it was added again meanwhile: then it is due at once.
  public func finish(_ connection: Connection, _ item: WorkItem, now: Int64? = nil) throws {
    let now = try now ?? connection.now()
    let isGone = try connection.withStatement(
      "DELETE FROM work WHERE kind = ?1 AND key = ?2 AND holder = ?3 AND version = ?4"
    ) { statement in
      try bind(statement, item)
      try statement.bind(item.version, at: 4)
      return try statement.run() == 1
    }
    if isGone { return }
    try update(connection, item, "held_until = 0, holder = '', attempts = 0, reason = '', due_at = ?4, added_at = ?4") {
      try $0.bind(now, at: 4)
    }
  }

  /// It is not done; it is due again after a while, or at once when it was added again meanwhile.
  ///
  /// - Parameter isFailure: false for what only waits: its age counts anew.
  public func retry(
    _ connection: Connection, _ item: WorkItem, after: Duration, reason: String, isFailure: Bool = true,
    now: Int64? = nil
  ) throws {
    let now = try now ?? connection.now()
    try update(
      connection, item,
      "held_until = 0, holder = '', attempts = attempts + 1, reason = ?5, due_at = CASE WHEN version = ?6 THEN ?4 ELSE ?7 END, added_at = CASE WHEN ?8 = 1 THEN added_at ELSE ?7 END"
    ) {
      try $0.bind(now + Int64(clamping: after.nanoseconds), at: 4)
      try $0.bind(Self.shortened(reason), at: 5)
      try $0.bind(item.version, at: 6)
      try $0.bind(now, at: 7)
      try $0.bind(isFailure, at: 8)
    }
  }

  /// It can't be done until somebody does something, or it is added again.
  public func park(_ connection: Connection, _ item: WorkItem, reason: String) throws {
    try update(
      connection, item,
      "held_until = 0, holder = '', attempts = attempts + 1, reason = ?4, parked = CASE WHEN version = ?5 THEN 1 ELSE 0 END"
    ) {
      try $0.bind(Self.shortened(reason), at: 4)
      try $0.bind(item.version, at: 5)
    }
  }

  /// What is there of a key; nil when nothing is to be done for it.
  public func waiting(_ connection: Connection, _ key: String) throws -> WaitingWork? {
    try connection.withStatement(
      "SELECT due_at, added_at, attempts, parked, reason FROM work WHERE kind = ?1 AND key = ?2"
    ) { statement in
      try statement.bind(kind, at: 1)
      try statement.bind(key, at: 2)
      guard try statement.step() else { return nil }
      let work = WaitingWork(
        key: key, dueAt: statement.integer(0), addedAt: statement.integer(1), attempts: Int(statement.integer(2)),
        isParked: statement.bool(3), reason: statement.text(4))
      return work
    }
  }

  /// Whether somebody works on a key now.
  public func isWorkedOn(_ connection: Connection, _ key: String, now: Int64? = nil) throws -> Bool {
    let now = try now ?? connection.now()
    return try connection.withStatement(
      "SELECT 1 FROM work WHERE kind = ?1 AND key = ?2 AND holder <> '' AND held_until > ?3"
    ) { statement in
      try statement.bind(kind, at: 1)
      try statement.bind(key, at: 2)
      try statement.bind(now, at: 3)
      return try statement.step()
    }
  }

  /// Keys that wait, and how many of them are parked.
  public func count(_ connection: Connection) throws -> (waiting: Int, parked: Int) {
    try connection.withStatement(
      "SELECT COUNT(*), COALESCE(SUM(parked), 0) FROM work WHERE kind = ?1"
    ) { statement in
      try statement.bind(kind, at: 1)
      guard try statement.step() else { return (0, 0) }
      let (all, parked) = (Int(statement.integer(0)), Int(statement.integer(1)))
      return (all - parked, parked)
    }
  }

  // MARK: -

  /// Characters of a reason.
  static let reasonLimit = 2_000

  private static func shortened(_ reason: String) -> String { String(reason.prefix(reasonLimit)) }

  @discardableResult
  private func update(
    _ connection: Connection, _ item: WorkItem, _ assignments: String, _ bindRest: (Statement) throws -> Void
  ) throws -> Bool {
    try connection.withStatement("UPDATE work SET \(assignments) WHERE kind = ?1 AND key = ?2 AND holder = ?3") {
      try bind($0, item)
      try bindRest($0)
      return try $0.run() == 1
    }
  }

  private func bind(_ statement: Statement, _ item: WorkItem) throws(StorageError) {
    try statement.bind(item.kind, at: 1)
    try statement.bind(item.key, at: 2)
    try statement.bind(item.holder, at: 3)
  }

  private static let insert = """
    INSERT INTO work (kind, key, version, due_at, added_at, attempts, parked, reason, holder, held_until)
    VALUES (?1, ?2, 1, ?3, ?4, 0, 0, '', '', 0)
    ON CONFLICT (kind, key) DO UPDATE SET
      version = work.version + 1, parked = 0,
      attempts = CASE WHEN work.parked = 1 THEN 0 ELSE work.attempts END,
      added_at = CASE WHEN work.parked = 1 THEN excluded.added_at ELSE work.added_at END,
      due_at = CASE WHEN work.parked = 0 AND work.due_at < excluded.due_at THEN work.due_at ELSE excluded.due_at END
    """

  private static let due = """
    SELECT key FROM work WHERE kind = ?1 AND parked = 0 AND due_at <= ?2 AND held_until <= ?2 ORDER BY due_at LIMIT ?3
    """

  private static let take = """
    UPDATE work SET holder = ?3, held_until = ?4
    WHERE kind = ?1 AND key = ?2 AND parked = 0 AND due_at <= ?5 AND held_until <= ?5
    RETURNING version, attempts, added_at
    """
}
