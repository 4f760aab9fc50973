/// The schema of a service on the server.
enum PostgreSQLSchema {
  /// Makes it unless it is there.
  ///
  /// - Throws: also `cannotOpen` when a restore has put it aside and was broken off: a new one would have everything done again.
  static func make(_ schema: String, _ session: PostgreSQLSession) throws(StorageError) {
    // IF NOT EXISTS asks for the right to make one even when there is one. And the catalogue's table: functions such as
    // to_regnamespace answer from a cache, which still knows nothing of what another process has just made.
    let found = try session.simple("SELECT 1 FROM pg_namespace WHERE nspname = \(Identifier.literal(schema))")
    guard found.rows == 0 else { return }
    if let kept = try leftAside(schema, session).last {
      throw StorageError(
        .cannotOpen,
        "store \(session.store): a restore was broken off, which had put schema \(schema) aside as \(kept)",
        remedy: "restore again, or put it back: ALTER SCHEMA \(kept) RENAME TO \(schema)")
    }
    try session.simple("CREATE SCHEMA \(Identifier.quoted(schema))")
  }

  // MARK: Aside

  /// How the name begins under which a restore keeps a schema.
  static func aside(_ schema: String) -> String { "\(schema)_before_" }

  /// The statement that says of a schema whether a restore that has not ended put it aside.
  static func mark(_ schema: String, isAside: Bool) -> String {
    "COMMENT ON SCHEMA \(Identifier.quoted(schema)) IS \(isAside ? Identifier.literal(asideComment) : "NULL")"
  }

  /// What restores that have not ended put aside of a schema, the last one last.
  static func leftAside(_ schema: String, _ session: PostgreSQLSession) throws(StorageError) -> [String] {
    let prefix = Identifier.literal(aside(schema))
    let found = try session.simple(
      """
      SELECT nspname FROM pg_namespace WHERE left(nspname::text, length(\(prefix))) = \(prefix)
        AND obj_description(oid, 'pg_namespace') = \(Identifier.literal(asideComment))
      ORDER BY nspname
      """)
    return (0..<found.rows).map { found.text($0, 0) }
  }

  private static let asideComment = "put aside by a restore that has not ended"
}
