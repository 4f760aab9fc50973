import Storage

/// The leases of the gateways in their store.
struct LeaseStore: Sendable {
  /// Of a store with connections of its own, so that a lease does not wait for messages.
  let database: Database

  /// What a gateway finds when it has renewed its leases.
  struct Round: Sendable, Equatable {
    /// Keys of its leases.
    var held: Set<String>
    /// Keys of the leases that any gateway has.
    var taken: Set<String>
    /// Gateways that are there, itself included.
    var live: Int
  }

  /// How long a gateway that is gone is remembered.
  private static let memory: Int64 = 60_000_000_000

  /// Says that a gateway is there, and renews its leases. Waits for no row that another gateway changes.
  ///
  /// - Parameter now: nanoseconds since 1970; nil for the server's clock.
  func renew(_ instance: String, for duration: Duration, now: Int64? = nil) async throws -> Round {
    try await database.write { connection in
      let now = try now ?? connection.now()
      let live = try Self.note(instance, until: now + Int64(clamping: duration.nanoseconds), now, connection)
      let held = try Lease.renewAll(connection, of: instance, for: duration, now: now)
      return Round(held: held, taken: Set(try Lease.holders(connection, now: now).keys), live: live)
    }
  }

  /// Takes leases that nobody has. A gateway that stands still in the middle of this keeps others waiting until the server ends
  /// its session: so it is apart from what they renew.
  ///
  /// - Parameters:
  ///   - count: of the shared ones, at most.
  ///   - now: nanoseconds since 1970; nil for the server's clock.
  /// - Returns: the keys of those that it has got.
  func take(
    _ instance: String, shared: [String], atMost count: Int, single: [String], for duration: Duration, now: Int64? = nil
  ) async throws -> Set<String> {
    try await database.write { connection in
      let now = try now ?? connection.now()
      func acquire(_ key: String) throws -> Bool {
        try Lease.acquire(connection, key: key, holder: instance, for: duration, now: now) != nil
      }
      var got: Set<String> = []
      for key in shared where got.count < count { if try acquire(key) { got.insert(key) } }
      for key in single { if try acquire(key) { got.insert(key) } }
      try connection.withStatement("DELETE FROM gateway_instance WHERE seen_until < ?1") { statement in
        try statement.bind(now - Self.memory, at: 1)
        try statement.run()
      }
      return got
    }
  }

  /// Of so many leases, one gateway's.
  static func share(of count: Int, among live: Int) -> Int { (count + max(live, 1) - 1) / max(live, 1) }

  /// - Returns: how many are there.
  private static func note(_ instance: String, until: Int64, _ now: Int64, _ connection: Connection) throws -> Int {
    let insert = """
      INSERT INTO gateway_instance (instance, seen_until) VALUES (?1, ?2)
      ON CONFLICT (instance) DO UPDATE SET seen_until = excluded.seen_until
      """
    try connection.withStatement(insert) { statement in
      try statement.bind(instance, at: 1)
      try statement.bind(until, at: 2)
      try statement.run()
    }
    return try connection.withStatement("SELECT count(*) FROM gateway_instance WHERE seen_until > ?1") { statement in
      try statement.bind(now, at: 1)
      return try statement.step() ? Int(statement.integer(0)) : 1
    }
  }

  func release(_ keys: [String], of instance: String) async throws {
    try await database.write { connection in
      for key in keys { try Lease.release(connection, key: key, holder: instance) }
    }
  }

  /// A gateway ends.
  func leave(_ instance: String, _ keys: [String]) async throws {
    try await database.write { connection in
      for key in keys { try Lease.release(connection, key: key, holder: instance) }
      try connection.withStatement("DELETE FROM gateway_instance WHERE instance = ?1") { statement in
        try statement.bind(instance, at: 1)
        try statement.run()
      }
    }
  }
}
