import Storage

/// The times that snapshots from the future were applied with. A snapshot's parts come as messages of their own, which only their
/// `created_on` holds together: all get the same other one, also those that are released later.
enum ReleasedSnapshots {
  /// As long as the gateway's journal keeps messages, nanoseconds.
  static let retention: Int64 = 60 * 86_400 * 1_000_000_000

  /// - Returns: the time; nil when no part was released yet.
  static func time(of createdOn: CreatedOn, in aggregateId: String, _ connection: Connection) throws -> CreatedOn? {
    try connection.withStatement(
      "SELECT applied_as FROM \(StockSchema.released) WHERE aggregate_id = ?1 AND created_on = ?2"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(createdOn.nanoseconds, at: 2)
      return try statement.step() ? CreatedOn(nanoseconds: statement.integer(0)) : nil
    }
  }

  static func note(
    _ createdOn: CreatedOn, in aggregateId: String, as time: CreatedOn, _ connection: Connection, at now: Int64
  ) throws {
    try connection.withStatement(
      """
      INSERT INTO \(StockSchema.released) (aggregate_id, created_on, applied_as, at) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (aggregate_id, created_on) DO NOTHING
      """
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(createdOn.nanoseconds, at: 2)
      try statement.bind(time.nanoseconds, at: 3)
      try statement.bind(now, at: 4)
      _ = try statement.run()
    }
  }

  /// The times with which a snapshot came that has this one now; usually none.
  static func origins(of time: CreatedOn, in aggregateId: String, _ connection: Connection) throws -> [CreatedOn] {
    try connection.withStatement(
      "SELECT created_on FROM \(StockSchema.released) WHERE aggregate_id = ?1 AND applied_as = ?2 ORDER BY created_on"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(time.nanoseconds, at: 2)
      var found: [CreatedOn] = []
      while try statement.step() { found.append(CreatedOn(nanoseconds: statement.integer(0))) }
      return found
    }
  }

  /// For the retention.
  static func removeOld(_ connection: Connection, now: Int64) throws -> Int {
    try connection.withStatement(
      """
      DELETE FROM \(StockSchema.released) WHERE (aggregate_id, created_on) IN
        (SELECT aggregate_id, created_on FROM \(StockSchema.released) WHERE at < ?1 LIMIT ?2)
      """
    ) { statement in
      try statement.bind(now - retention, at: 1)
      try statement.bind(Int64(Inbox.removalLimit), at: 2)
      return try statement.run()
    }
  }
}
