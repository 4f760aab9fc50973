import EventLoop
import Glibc

extension PostgreSQLConnection {
  /// Brings the schema to `migrations.count`, the version that its table `schema_version` holds. Waits for a server that is
  /// just starting, as long as calls wait for one that was lost.
  func bringUpToDate(_ migrations: [Migration]) throws(StorageError) {
    var attempt = 0
    while true {
      attempt += 1
      do throws(StorageError) {
        return try bringUpToDateOnce(migrations)
      } catch {
        rollBack()
        // A lost COMMIT is looked for by the next attempt.
        let kind = error.kind == .outcomeUnknown ? .unavailable : error.kind
        let cause = StorageError(
          kind, error.message, sqlState: error.sqlState, statement: error.statement, remedy: error.remedy)
        guard let pause = pauseBeforeRetry(after: cause, attempt: attempt) else { throw cause }
        usleep(UInt32(pause / 1_000))
      }
    }
  }

  private func bringUpToDateOnce(_ migrations: [Migration]) throws(StorageError) {
    let session = try liveSession()
    if try checkedVersion(migrations, session) == migrations.count { return }
    // A large table may be rewritten, or another replica may be at it.
    try session.simple("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
    let lock = KeyLock.number("migrate", schema: schema)
    try session.simple("SELECT pg_advisory_xact_lock(\(lock))", nanoseconds: .max)
    let version = try checkedVersion(migrations, session)
    try makeSchema(session)
    for (index, migration) in migrations.enumerated().dropFirst(version) {
      try migration.run(version: index + 1) { () throws(StorageError) in
        for statement in migration.statements(for: .postgresql) { try session.simple(statement, nanoseconds: .max) }
      }
    }
    try session.simple("DELETE FROM schema_version")
    try session.simple("INSERT INTO schema_version (version) VALUES (\(migrations.count))")
    failure = nil
    try commit()
  }

  // Both look into the catalogue's tables. Functions such as to_regclass answer from a cache, which still knows nothing of
  // what the replica has made for which this one has just waited.

  private func makeSchema(_ session: PostgreSQLSession) throws(StorageError) {
    try PostgreSQLSchema.make(schema, session)
    try session.simple("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
  }

  private func checkedVersion(
    _ migrations: [Migration], _ session: PostgreSQLSession
  ) throws(StorageError) -> Int {
    let found = try session.simple(
      """
      SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = \(Identifier.literal(schema)) AND relname = 'schema_version'
      """)
    if found.rows == 0 { return 0 }
    let version = Int(try session.simple("SELECT coalesce(max(version), 0) FROM schema_version").text(0, 0)) ?? 0
    try Migration.check(version: version, known: migrations.count, store: store)
    return version
  }
}
