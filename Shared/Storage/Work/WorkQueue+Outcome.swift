/// What a worker says of the key that it has. Once another one has it, that changes nothing.
extension WorkQueue {
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
}
