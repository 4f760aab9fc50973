/// Locks on the keys of jobs, held by a transaction that runs them until it has ended (PostgreSQL's advisory locks).
///
/// They spare work and are not what keeps data right: on CockroachDB, where they do nothing, bodies of a key that get in each other's
/// way are run anew.
///
/// Keys share ``count`` locks: the server has a table of fixed size for all locks of all sessions.
enum KeyLock {
  static let count: UInt64 = 1_024

  /// The locks of the jobs' keys, without repetition and in the order in which everybody takes them.
  static func buckets(of jobs: [Job]) -> [Int32] {
    var buckets = Set<Int32>()
    for job in jobs {
      if let key = job.key { buckets.insert(Int32(hash(key) % count)) }
    }
    return buckets.sorted()
  }

  /// The statements, one request, that begin a transaction with the locks, which sees what those who had them have committed. At
  /// no time does the session wait for its client with locks outside of a transaction: there nobody would take them from it.
  static func begin(_ isolation: Isolation, _ buckets: [Int32], schema: String) -> String {
    let begin = "BEGIN ISOLATION LEVEL \(isolation == .serializable ? "SERIALIZABLE" : "READ COMMITTED")"
    if buckets.isEmpty { return begin }
    let list = buckets.map(String.init).joined(separator: ",")
    let all = "FROM unnest('{\(list)}'::int[]) AS bucket"
    func lock(_ function: String) -> String { "\(function)(\(space(schema)), bucket)" }
    switch isolation {
    case .readCommitted:
      // Each statement sees what was committed before it.
      return "\(begin); SELECT \(lock("pg_advisory_xact_lock")) \(all)"
    case .serializable:
      // All see what the first one does: so that one must not be the one that waits, which is done by the session.
      return """
        SELECT \(lock("pg_advisory_lock")) \(all); COMMIT;
        \(begin);
        SELECT \(lock("pg_advisory_xact_lock")), \(lock("pg_advisory_unlock")) \(all)
        """
    }
  }

  /// The number of a lock that a whole schema has one of, e.g. for migrating. Those of one number and those of two don't meet.
  static func number(_ purpose: String, schema: String) -> Int64 {
    Int64(bitPattern: hash("oms-connector \(purpose) \(schema)"))
  }

  private static func space(_ schema: String) -> Int32 { Int32(truncatingIfNeeded: hash(schema)) }

  /// FNV-1a, 64 bits: the same in every process and version, which Swift's own is not.
  static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}
