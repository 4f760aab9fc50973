extension Inbox {
  /// How long a delivery is known: as long as the gateway's journal may replay it.
  public static let retention = Duration.seconds(60 * 24 * 3_600)
  /// Notes that one transaction removes at most, so that writers don't wait for it.
  public static let removalLimit = 500

  /// Removes the oldest notes that are older than ``retention``, at most ``removalLimit`` of them. To be called within the
  /// body of ``Database/write(weight:_:)``, with ``removalLimit`` as its weight, until it removes fewer than that.
  ///
  /// A note from the future was taken while the clock was wrong. It gets the present time, lest it stay for years and keep
  /// those behind it.
  ///
  /// - Returns: how many it removed.
  public static func removeOld(_ connection: Connection, now: Int64) throws -> Int {
    let removed = try connection.withStatement("DELETE FROM inbox WHERE \(oldest("noted_at < ?1", connection))") {
      statement throws(StorageError) in
      try statement.bind(now - Int64(clamping: retention.nanoseconds), at: 1)
      try statement.bind(Int64(removalLimit), at: 2)
      return try statement.run()
    }
    try connection.withStatement("UPDATE inbox SET noted_at = ?1 WHERE \(oldest("noted_at > ?1", connection))") {
      statement throws(StorageError) in
      try statement.bind(now, at: 1)
      try statement.bind(Int64(removalLimit), at: 2)
      _ = try statement.run()
    }
    return removed
  }

  /// The oldest notes, as far as the condition holds for them. SQLite goes by their place, and needs no index of their times.
  private static func oldest(_ condition: String, _ connection: Connection) -> String {
    switch connection.engine {
    case .sqlite: "\(condition) AND id IN (SELECT id FROM inbox ORDER BY id LIMIT ?2)"
    case .postgresql: "identity IN (SELECT identity FROM inbox WHERE \(condition) ORDER BY noted_at LIMIT ?2)"
    }
  }
}
