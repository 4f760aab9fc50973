/// Backups of the schemas on a server: one file, made by `pg_dump` in one snapshot.
enum PostgreSQLBackup {
  static let file = "stores.pgdump"

  static func make(
    of services: [String], at url: PostgreSQLURL, in directory: String
  ) throws(StorageError) -> [StoreBackup.Store] {
    let session = try PostgreSQLSession(
      url, store: url.description, application: "backup", options: DatabaseOptions())
    // Somebody's limit for transactions that do nothing must not take the snapshot away before pg_dump has it.
    try session.simple("SET idle_in_transaction_session_timeout = 0")
    try session.simple("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    let snapshot = try session.simple("SELECT pg_export_snapshot()").text(0, 0)
    var stores: [StoreBackup.Store] = []
    for service in services.sorted() {
      guard let version = try version(of: StoreLocation.schema(of: service), session) else { continue }
      stores.append(StoreBackup.Store(service: service, schemaVersion: version, file: file))
    }
    guard !stores.isEmpty else {
      throw StorageError(
        .cannotOpen, "there is no store in \(url.description)",
        remedy: "let DATABASE_URL say the same as for the services")
    }
    let path = "\(directory)/\(file)"
    try FilePath.makeFile(path)
    try PostgreSQLProgram("pg_dump", url: url).run(
      ["--format=custom", "--no-owner", "--no-privileges", "--no-password", "--snapshot=\(snapshot)", "--file=\(path)"]
        + stores.map { "--schema=\(StoreLocation.schema(of: $0.service))" })
    // The snapshot is gone with the session that exported it.
    withExtendedLifetime(session) {}
    try FilePath.flush(path)
    return stores
  }

  /// nil when the service has no store there.
  private static func version(of schema: String, _ session: PostgreSQLSession) throws(StorageError) -> Int? {
    let found = try session.simple(
      """
      SELECT 1 FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE nspname = \(Identifier.literal(schema)) AND relname = 'schema_version'
      """)
    guard found.rows > 0 else { return nil }
    let version = try session.simple(
      "SELECT coalesce(max(version), 0) FROM \(Identifier.quoted(schema)).schema_version")
    return Int(version.integer(0, 0))
  }
}
