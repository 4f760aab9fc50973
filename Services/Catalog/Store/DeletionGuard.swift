import Storage

/// Holds deletions back when there are too many of them: rather than a merchant who has cleared the shelves, that is the shop of
/// somebody else behind COMMERCE_URL, or a page that lacks what it should have. As with stock (magento-rules.md §6) they are left
/// to the operator.
///
/// Counted is by the day, whatever the way on which a deletion is found: many small ones are a large one, too.
enum DeletionGuard {
  /// Of the known products so many may be deleted within a day, per cent, and so many in any case.
  static let limit = (percent: 20, count: 20)
  /// Nanoseconds.
  static let day: Int64 = 86_400_000_000_000

  static let migration = Migration(
    "deletions within a day",
    sqlite: [
      """
      CREATE TABLE deletion_day (
        id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
        started_at INTEGER NOT NULL, -- nanoseconds since 1970, UTC
        known INTEGER NOT NULL, -- products when it started
        deleted INTEGER NOT NULL
      ) STRICT
      """
    ],
    postgresql: [
      """
      CREATE TABLE deletion_day (
        id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
        started_at BIGINT NOT NULL,
        known BIGINT NOT NULL,
        deleted BIGINT NOT NULL
      )
      """
    ])

  /// Counts deletions that are about to be made in this transaction; a day begins with the first of it.
  ///
  /// - Parameters:
  ///   - known: how many products there were before; nil for those that there are.
  ///   - now: nanoseconds since 1970.
  /// - Returns: false when they must not be made; none of them is counted then.
  static func allows(_ connection: Connection, _ count: Int, of known: Int? = nil, now: Int64) throws -> Bool {
    var day = try connection.withStatement("SELECT started_at, known, deleted FROM deletion_day WHERE id = 1") {
      try $0.step() ? (startedAt: $0.integer(0), known: Int($0.integer(1)), deleted: Int($0.integer(2))) : nil
    }
    if let begun = day, !(begun.startedAt...(begun.startedAt + Self.day)).contains(now) { day = nil }
    let current = try day ?? (now, known ?? Self.known(connection), 0)
    guard current.deleted + count <= max(limit.count, current.known * limit.percent / 100) else { return false }
    try connection.withStatement(
      """
      INSERT INTO deletion_day (id, started_at, known, deleted) VALUES (1, ?1, ?2, ?3)
      ON CONFLICT (id) DO UPDATE SET
        started_at = excluded.started_at, known = excluded.known, deleted = excluded.deleted
      """
    ) { statement in
      try statement.bind(current.startedAt, at: 1)
      try statement.bind(Int64(current.known), at: 2)
      try statement.bind(Int64(current.deleted + count), at: 3)
      _ = try statement.run()
    }
    return true
  }

  /// Products of the shop that are not INACTIVE.
  static func known(_ connection: Connection) throws -> Int {
    try connection.withStatement("SELECT count(*) FROM product WHERE product_id > 0 AND status <> 'INACTIVE'") {
      try $0.step() ? Int($0.integer(0)) : 0
    }
  }
}
