/// What waits, for whoever looks.
extension WorkQueue {
  /// When the next key that nobody has is due; nil when there is none.
  public func nextDue(_ connection: Connection) throws -> Int64? {
    try connection.withStatement(
      "SELECT MIN(CASE WHEN held_until > due_at THEN held_until ELSE due_at END) FROM work WHERE kind = ?1 AND parked = 0"
    ) { statement in
      try statement.bind(kind, at: 1)
      return try statement.step() && !statement.isNull(0) ? statement.integer(0) : nil
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
}
