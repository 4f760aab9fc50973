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

  /// Takes keys that are due and that nobody has: those that are due the longest, in the order of the keys. A body that adds
  /// several does it in that order, too, or the two may wait for each other in a circle.
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
    return try keys.sorted().compactMap { key in
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
