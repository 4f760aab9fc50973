/// Locks on the keys of jobs, held by a session while it runs and commits them (PostgreSQL's advisory locks).
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

  static func lock(_ buckets: [Int32], schema: String) -> String {
    let list = buckets.map(String.init).joined(separator: ",")
    return "SELECT pg_advisory_lock(\(space(schema)), bucket) FROM unnest('{\(list)}'::int[]) AS bucket"
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
