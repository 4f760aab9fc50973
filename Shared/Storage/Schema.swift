import CSQLite

/// One step of a schema. Steps are only ever added: a released one stays as it is.
public struct Migration: Sendable {
  /// What it does, for errors.
  public let name: String
  private let sqlite: [String]
  private let postgresql: [String]

  /// A step that both engines understand alike.
  public init(_ name: String, _ statements: [String]) {
    self.init(name, sqlite: statements, postgresql: statements)
  }

  /// A step that each engine has to be told in its own words.
  public init(_ name: String, sqlite: [String], postgresql: [String]) {
    self.name = name
    self.sqlite = sqlite
    self.postgresql = postgresql
  }

  /// Statements, run in order.
  func statements(for engine: StorageEngine) -> [String] {
    switch engine {
    case .sqlite: sqlite
    case .postgresql: postgresql
    }
  }
}

extension Connection {
  /// Brings the schema to `migrations.count`, the version that SQLite keeps in the file's header (`user_version`).
  ///
  /// Replicas that start together all come here: the first to begin migrates, the others then find nothing to do.
  func migrate(_ migrations: [Migration]) throws(StorageError) {
    if try checkedVersion(migrations) == migrations.count { return }
    try execute("BEGIN IMMEDIATE")
    do throws(StorageError) {
      let version = try checkedVersion(migrations)
      for (index, migration) in migrations.enumerated().dropFirst(version) {
        try apply(migration, version: index + 1)
      }
      try execute("COMMIT")
    } catch {
      if isInTransaction { try execute("ROLLBACK") }
      throw error
    }
  }

  private func apply(_ migration: Migration, version: Int) throws(StorageError) {
    do throws(StorageError) {
      for statement in migration.statements(for: engine) { try execute(statement) }
      try execute("PRAGMA user_version = \(version)")
    } catch {
      throw StorageError(
        error.kind, "schema version \(version) (\(migration.name)): \(error.message)", code: error.code,
        statement: error.statement, remedy: error.remedy)
    }
  }

  private func checkedVersion(_ migrations: [Migration]) throws(StorageError) -> Int {
    let version = try withPrepared("PRAGMA user_version") { statement throws(StorageError) in
      try statement.step() ? Int(statement.integer(0)) : 0
    }
    if version > migrations.count {
      throw StorageError(
        .newerSchema, "store \(path) has schema version \(version), this program knows up to \(migrations.count)",
        remedy: "start a newer version of the program, or restore a backup from before the upgrade")
    }
    return version
  }
}
