/// The engines that a store may be on.
public enum StorageEngine: Sendable {
  case sqlite
  case postgresql
}

/// Where the stores of the services are: the value of `DATABASE_URL`.
public enum StoreLocation: Sendable, Equatable {
  /// One file per service in this directory.
  case sqlite(directory: String)

  /// - Parameter url: `sqlite:DIR`.
  /// - Throws: ``StorageError`` of kind `cannotOpen` that says what is allowed.
  public init(url: String) throws(StorageError) {
    self = .sqlite(directory: try StorePath.directory(fromURL: url))
  }
}

extension Database {
  /// Opens or makes a service's store and brings its schema up to date. Blocks; call it before serving.
  ///
  /// - Parameters:
  ///   - service: whose store it is: no other service looks into it.
  ///   - migrations: the whole schema, oldest step first.
  /// - Throws: ``StorageError``: `cannotOpen`, `newerSchema`, `locked`, `full`, `corrupt`.
  public convenience init(
    service: String, at location: StoreLocation, migrations: [Migration], options: DatabaseOptions = .init()
  ) throws(StorageError) {
    switch location {
    case .sqlite(let directory):
      let path = try StorePath.prepare(directory: directory, file: "\(service).sqlite")
      try self.init(path: path, migrations: migrations, options: options)
    }
  }
}
