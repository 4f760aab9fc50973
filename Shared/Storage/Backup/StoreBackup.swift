/// Copies the stores of several services as they are at one instant, while the services work on them: what one of them has handed
/// over to another is in the copy of one of the two at least, as after a loss of power.
public enum StoreBackup {
  /// A service's store in a backup.
  public struct Store: Sendable, Equatable {
    public let service: String
    /// How many steps of the service's schema it has.
    public let schemaVersion: Int
    /// The name of the file that it is in; on PostgreSQL all are in one.
    public let file: String

    public init(service: String, schemaVersion: Int, file: String) {
      self.service = service
      self.schemaVersion = schemaVersion
      self.file = file
    }
  }

  /// Blocks until all files are whole and on the disk.
  ///
  /// - Parameters:
  ///   - services: those without a store are left out.
  ///   - directory: where the files are made; it is empty.
  ///   - onProgress: told the bytes that are copied and those that there are; never on PostgreSQL.
  /// - Returns: a store at least.
  /// - Throws: ``StorageError``: `cannotOpen` when there is no store, or no program that reads it, `locked`, `full`, `corrupt`,
  ///   `unavailable`, `other`.
  public static func make(
    of services: [String], at location: StoreLocation, in directory: String,
    onProgress: (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
  ) throws(StorageError) -> [Store] {
    switch location {
    case .sqlite(let stores): try SQLiteBackup.make(of: services, at: stores, in: directory, onProgress)
    case .postgresql(let url): try PostgreSQLBackup.make(of: services, at: url, in: directory)
    }
  }

  /// The names of the files that a backup of these services has.
  public static func files(of services: [String], engine: StorageEngine) -> [String] {
    switch engine {
    case .sqlite: services.map(SQLiteBackup.file(of:))
    case .postgresql: [PostgreSQLBackup.file]
    }
  }

  /// Puts the stores of a backup in the place of those that are there, and keeps these. Blocks.
  ///
  /// - Parameters:
  ///   - services: all that there may be: what a backup has no store of is put away, too.
  ///   - directory: where the files are.
  ///   - mark: becomes part of the name under which is kept what was there: letters, digits and underscores.
  ///   - onWarning: told what else was to be done and failed, once the stores are in their place; never on SQLite.
  /// - Returns: where that is now: a directory, or schemas; nothing when there was nothing.
  /// - Throws: ``StorageError``: `locked` when somebody works on the stores; `cannotOpen`, `full`, `unavailable`, `other`. What
  ///   was there is where it was then; where it can't be put back, or the last step failed, the remedy says where it is.
  public static func restore(
    _ stores: [Store], services: [String], from directory: String, to location: StoreLocation, keepingAs mark: String,
    onWarning: (_ warning: StorageError) -> Void = { _ in }
  ) throws(StorageError) -> [String] {
    switch location {
    case .sqlite(let target):
      try SQLiteRestore(services: services, directory: target).run(stores, from: directory, keepingAs: mark)
    case .postgresql(let url):
      try PostgreSQLRestore(services: services, url: url).run(from: directory, keepingAs: mark, onWarning)
    }
  }
}
