// Which replica relays: one at a time. It spares work and is no more than that: two that relay at the same time hand over
// the same rows in the same order, and the gateway knows them by their ids.

extension Outbox {
  /// Whether there are rows, and the right to relay them can be had.
  public func awaits(
    _ holder: String, _ connection: Connection, for duration: Duration, now: Int64? = nil
  ) throws -> Bool {
    let now = try now ?? connection.now()
    return try connection.withStatement(
      "SELECT 1 FROM outbox_store WHERE \(Self.isFree) AND EXISTS (SELECT 1 FROM outbox)"
    ) { statement throws(StorageError) in
      try Self.bind(holder, duration, now, statement)
      return try statement.step()
    }
  }

  /// Takes or renews the right to relay.
  ///
  /// - Parameters:
  ///   - holder: who asks; unique among the replicas.
  ///   - duration: until it has to be renewed.
  ///   - now: nanoseconds since 1970; nil for the clock that all replicas share.
  /// - Returns: false when another replica has it.
  public func lease(
    _ connection: Connection, to holder: String, for duration: Duration, now: Int64? = nil
  ) throws -> Bool {
    let now = try now ?? connection.now()
    return try connection.withStatement("UPDATE outbox_store SET holder = ?1, held_until = ?4 WHERE \(Self.isFree)") {
      statement throws(StorageError) in
      try Self.bind(holder, duration, now, statement)
      try statement.bind(now + Int64(clamping: duration.nanoseconds), at: 4)
      return try statement.run() == 1
    }
  }

  /// One that ends later than any could was given while the clock was ahead, by more than ``Lease/clockTolerance``.
  private static let isFree = "(holder = ?1 OR held_until < ?2 OR held_until > ?3)"

  private static func bind(
    _ holder: String, _ duration: Duration, _ now: Int64, _ statement: Statement
  ) throws(StorageError) {
    try statement.bind(holder, at: 1)
    try statement.bind(now, at: 2)
    try statement.bind(now + Int64(clamping: duration.nanoseconds) + Lease.clockTolerance, at: 3)
  }

  /// Gives the right to relay back.
  public func release(_ connection: Connection, by holder: String) throws {
    try connection.withStatement("UPDATE outbox_store SET holder = '', held_until = 0 WHERE holder = ?1") {
      statement throws(StorageError) in
      try statement.bind(holder, at: 1)
      _ = try statement.run()
    }
  }
}
