/// What a holder of several leases does with all of them at once.
extension Lease {
  /// Makes all leases of a holder last longer that nobody else has taken, also those whose time is over.
  ///
  /// - Returns: their keys.
  public static func renewAll(
    _ connection: Connection, of holder: String, for duration: Duration, now: Int64? = nil
  ) throws -> Set<String> {
    let now = try now ?? connection.now()
    return try connection.withStatement(
      "UPDATE lease SET granted_at = ?2, expires_at = ?3 WHERE holder = ?1 RETURNING key"
    ) { statement in
      try statement.bind(holder, at: 1)
      try statement.bind(now, at: 2)
      try statement.bind(now + Int64(clamping: duration.nanoseconds), at: 3)
      var keys: Set<String> = []
      while try statement.step() { keys.insert(statement.text(0)) }
      return keys
    }
  }

  /// Gives one back before its time is over; does nothing when somebody else has it.
  public static func release(_ connection: Connection, key: String, holder: String) throws {
    try connection.withStatement("UPDATE lease SET holder = '', expires_at = 0 WHERE key = ?1 AND holder = ?2") {
      statement in
      try statement.bind(key, at: 1)
      try statement.bind(holder, at: 2)
      _ = try statement.run()
    }
  }

  /// The keys whose leases somebody has now, and who.
  public static func holders(_ connection: Connection, now: Int64? = nil) throws -> [String: String] {
    let now = try now ?? connection.now()
    return try connection.withStatement(
      "SELECT key, holder FROM lease WHERE expires_at > ?1 AND granted_at <= ?2 AND holder <> ''"
    ) { statement in
      try statement.bind(now, at: 1)
      try statement.bind(now + clockTolerance, at: 2)
      var holders: [String: String] = [:]
      while try statement.step() { holders[statement.text(0)] = statement.text(1) }
      return holders
    }
  }
}
