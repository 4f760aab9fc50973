import EventLoop

/// Puts the schemas of a backup into a database, and renames those that are there.
struct PostgreSQLRestore {
  private let services: [String]
  private let url: PostgreSQLURL

  init(services: [String], url: PostgreSQLURL) {
    self.services = services
    self.url = url
  }

  func run(
    from backup: String, keepingAs mark: String, _ onWarning: (StorageError) -> Void
  ) throws(StorageError) -> [String] {
    let session = try PostgreSQLSession(
      url, store: url.description, application: "restore", options: DatabaseOptions())
    // The locks that it holds are to last as long as pg_restore runs.
    try session.simple("SET idle_session_timeout = 0; SET statement_timeout = 0; \(SessionSettings.keepalive)")
    try refuseRunning(session)
    try lock(session)
    try refuseRunning(session)
    // Whoever breaks it off from here on would leave no store, and the services would begin new ones.
    let ignored = IgnoredSignals()
    defer { ignored.end() }
    let aside = try existing(session).map { (schema: $0, kept: PostgreSQLSchema.aside($0) + mark) }
    try rename(aside.map { ($0.schema, $0.kept) }, session, asideUntilRestored: true)
    do throws(StorageError) {
      try PostgreSQLProgram("pg_restore", url: url, hearsTerminal: false).run([
        "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password", "--dbname=",
        "\(backup)/\(PostgreSQLBackup.file)",
      ])
    } catch {
      throw renameBack(aside, after: error, session)
    }
    // The stores are in their place by now, whatever becomes of this.
    do throws(StorageError) {
      try forgetAside(session)
    } catch {
      onWarning(
        error.explained("the stores are restored, but those of before still count as left by one that was broken off"))
    }
    do throws(StorageError) {
      try releaseLeases(session)
    } catch {
      onWarning(error.explained("the stores are restored, but the leases in them are still those of the backup"))
    }
    return aside.map(\.kept)
  }

  private static let gateway = StoreLocation.schema(of: "gateway")

  /// Sessions have the names that ``ConnectionParameters`` gives them, or the one that the URL does.
  private func refuseRunning(_ session: PostgreSQLSession) throws(StorageError) {
    let found = try session.simple(
      """
      SELECT count(*), coalesce(string_agg(DISTINCT application_name, ', '), '') FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (application_name LIKE 'oms-connector/%' OR application_name = \(Identifier.literal(url.application ?? "")))
        AND application_name <> ''
      """)
    guard found.integer(0, 0) > 0 else { return }
    throw StorageError(
      .locked, "store \(url.description): \(found.text(0, 1)) work on it", remedy: "stop all services first")
  }

  /// Keeps out whoever starts meanwhile, by the lock of migrations, for which it waits and then finds the restored schema.
  private func lock(_ session: PostgreSQLSession) throws(StorageError) {
    for number in services.map({ KeyLock.number("migrate", schema: StoreLocation.schema(of: $0)) }) {
      let isFree = try session.simple("SELECT pg_try_advisory_lock(\(number))").text(0, 0) == "t"
      guard isFree else {
        throw StorageError(
          .locked, "store \(url.description): another process works on it", remedy: "stop all services first")
      }
    }
  }

  private func existing(_ session: PostgreSQLSession) throws(StorageError) -> [String] {
    let names = services.map { Identifier.literal(StoreLocation.schema(of: $0)) }.joined(separator: ", ")
    let found = try session.simple("SELECT nspname FROM pg_namespace WHERE nspname IN (\(names)) ORDER BY nspname")
    return (0..<found.rows).map { found.text($0, 0) }
  }

  /// All or none: statements that are sent together are one transaction.
  private func rename(
    _ names: [(String, String)], _ session: PostgreSQLSession, asideUntilRestored isAside: Bool
  ) throws(StorageError) {
    guard !names.isEmpty else { return }
    let statements = names.map { name, other in
      "ALTER SCHEMA \(Identifier.quoted(name)) RENAME TO \(Identifier.quoted(other)); "
        + PostgreSQLSchema.mark(other, isAside: isAside)
    }
    try session.simple(statements.joined(separator: "; "))
  }

  /// What was put aside may stay so, also by a restore before this one that was broken off.
  private func forgetAside(_ session: PostgreSQLSession) throws(StorageError) {
    for service in services {
      for schema in try PostgreSQLSchema.leftAside(StoreLocation.schema(of: service), session) {
        try session.simple(PostgreSQLSchema.mark(schema, isAside: false))
      }
    }
  }

  /// - Returns: `failure`, which says what is left to do when this does not work.
  private func renameBack(
    _ aside: [(schema: String, kept: String)], after failure: StorageError, _ session: PostgreSQLSession
  ) -> StorageError {
    do throws(StorageError) {
      try rename(aside.map { ($0.kept, $0.schema) }, session, asideUntilRestored: false)
      return failure
    } catch {
      let kept = aside.map(\.kept).joined(separator: ", ")
      return failure.advising("what was there is in \(kept); rename it back, which failed here: \(error.message)")
    }
  }

  /// A gateway that was cut off from the server before all this may come back: what it held when the backup was made is not its own
  /// any more.
  private func releaseLeases(_ session: PostgreSQLSession) throws(StorageError) {
    let found = try session.simple(
      "SELECT 1 FROM pg_tables WHERE schemaname = \(Identifier.literal(Self.gateway)) AND tablename = 'lease'")
    guard found.rows > 0 else { return }
    try session.simple("UPDATE \(Identifier.quoted(Self.gateway)).lease SET holder = '', expires_at = 0")
  }
}
