extension SQLiteConnection {
  /// Brings the schema to `migrations.count`, the version that SQLite keeps in the file's header (`user_version`).
  ///
  /// Replicas that start together all come here: the first to begin migrates, the others then find nothing to do.
  func bringUpToDate(_ migrations: [Migration]) throws(StorageError) {
    if try checkedVersion(migrations) == migrations.count { return }
    try beginWriting([])
    do throws(StorageError) {
      let version = try checkedVersion(migrations)
      for (index, migration) in migrations.enumerated().dropFirst(version) {
        try apply(migration, version: index + 1)
      }
      try commit()
    } catch {
      rollBack()
      throw error
    }
  }

  private func apply(_ migration: Migration, version: Int) throws(StorageError) {
    try migration.run(version: version) { () throws(StorageError) in
      for statement in migration.statements(for: engine) { try execute(statement) }
      try execute("PRAGMA user_version = \(version)")
    }
  }

  private func checkedVersion(_ migrations: [Migration]) throws(StorageError) -> Int {
    let version = try withPrepared("PRAGMA user_version") { statement throws(StorageError) in
      try statement.step() ? Int(statement.integer(0)) : 0
    }
    try Migration.check(version: version, known: migrations.count, store: path)
    return version
  }
}
