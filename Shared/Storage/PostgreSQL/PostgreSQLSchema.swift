/// The schema of a service on the server.
enum PostgreSQLSchema {
  /// Makes it unless it is there.
  static func make(_ schema: String, _ session: PostgreSQLSession) throws(StorageError) {
    // IF NOT EXISTS asks for the right to make one even when there is one. And the catalogue's table: functions such as
    // to_regnamespace answer from a cache, which still knows nothing of what another process has just made.
    let found = try session.simple("SELECT 1 FROM pg_namespace WHERE nspname = \(Identifier.literal(schema))")
    if found.rows == 0 { try session.simple("CREATE SCHEMA \(Identifier.quoted(schema))") }
  }
}
