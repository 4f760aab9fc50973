extension Connection {
  /// The time of day by a clock that all replicas of the store share, in nanoseconds since 1970, UTC: the server's on
  /// PostgreSQL, the machine's on SQLite, whose replicas are on one machine.
  public func now() throws -> Int64 {
    switch engine {
    case .sqlite: WallClock.nanoseconds()
    case .postgresql:
      try withStatement("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000000 AS BIGINT)") { statement in
        guard try statement.step() else { throw StorageError(.other, "the server answered no time") }
        return statement.integer(0)
      }
    }
  }
}
