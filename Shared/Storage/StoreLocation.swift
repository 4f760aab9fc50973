/// The engines that a store may be on.
public enum StorageEngine: Sendable {
  case sqlite
  case postgresql
}

/// Where the stores of the services are: the value of `DATABASE_URL`.
public enum StoreLocation: Sendable, Equatable {
  /// One file per service in this directory.
  case sqlite(directory: String)
  /// One schema per service in this database.
  case postgresql(PostgreSQLURL)

  /// - Parameter url: `sqlite:DIR` or `postgresql://…`.
  /// - Throws: ``StorageError`` of kind `cannotOpen` that says what is allowed. It never shows a password.
  public init(url: String) throws(StorageError) {
    if PostgreSQLURL.schemes.contains(where: url.hasPrefix) {
      self = .postgresql(try PostgreSQLURL(url))
    } else {
      self = .sqlite(directory: try StorePath.directory(fromURL: url))
    }
  }
}

extension Database {
  /// Opens or makes a service's store and brings its schema up to date. Blocks; call it before serving.
  ///
  /// - Parameters:
  ///   - service: whose store it is: no other service looks into it.
  ///   - migrations: the whole schema, oldest step first.
  /// - Throws: ``StorageError``: `cannotOpen`, `newerSchema`, `locked`, `full`, `corrupt`, `unavailable`.
  public convenience init(
    service: String, at location: StoreLocation, migrations: [Migration], options: DatabaseOptions = .init()
  ) throws(StorageError) {
    switch location {
    case .sqlite(let directory):
      let path = try StorePath.prepare(directory: directory, file: "\(service).sqlite")
      try self.init(path: path, migrations: migrations, options: options)
    case .postgresql(let url):
      let schema = StoreLocation.schema(of: service)
      try self.init(migrations, options) { isReader in
        PostgreSQLConnection(url, schema: schema, options: options, isReader: isReader)
      }
    }
  }
}

extension StoreLocation {
  /// The schema of a service on PostgreSQL: a name that needs no quotes.
  static func schema(of service: String) -> String { service.replacing("-", with: "_") }
}
