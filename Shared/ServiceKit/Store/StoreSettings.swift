import Storage

/// How every service comes to its store.
public enum StoreSettings {
  /// One value for all services: each has a file, or a schema, of its own in there. A secret: it may hold a password.
  public static let databaseURL = Setting<StoreLocation>(
    "DATABASE_URL", "where the stores are, shared by all replicas; a directory is made when missing",
    allowed: "sqlite:DIR or postgresql://USER:PASSWORD@HOST:PORT/DATABASE", default: "sqlite:$STATE_DIR/data",
    isSecret: true
  ) { text throws(SettingError) in
    do throws(StorageError) {
      return try StoreLocation(url: text)
    } catch {
      throw SettingError()
    }
  }

  /// Opens the store of `service` and brings its schema up to date. What fails later with nobody waiting for it is logged.
  ///
  /// - Parameter configure: changes what the service wants otherwise than others.
  /// - Throws: an error that names the setting.
  public static func open(
    _ service: ServiceDescription, _ configuration: Configuration, _ migrations: [Migration],
    _ configure: (inout DatabaseOptions) -> Void = { _ in }
  ) throws -> Database {
    var options = DatabaseOptions()
    configure(&options)
    options.onBackgroundError = { error in Log.warning("store", ["problem": LogValue(error)]) }
    do throws(StorageError) {
      return try Database(
        service: service.name, at: configuration[databaseURL], migrations: migrations, options: options)
    } catch {
      throw StoreStartError(error: error)
    }
  }

  /// Says NOT_SERVING while the server of the service's store can't be reached from here, and until `database` reaches it again:
  /// whoever watches that, as the gateway does, calls replicas that reach it. Nothing on SQLite.
  ///
  /// - Throws: when there can't be another thread.
  public static func watchServer(
    of database: Database, _ service: ServiceDescription, _ setup: inout ServiceSetup
  ) throws {
    let store = StoreReadiness(database, setup.readiness)
    let watch = try ServerWatch.start(of: service.name, at: setup.configuration[databaseURL]) { store.changed($0) }
    if let watch {
      setup.onStop("watch of the store's server") {
        watch.stop()
        store.stop()
      }
    }
  }

  /// Makes this process the only one of its service that works on the store, until it ends, where the store is on SQLite. On
  /// PostgreSQL any number may.
  ///
  /// - Throws: an error that names the setting, at once when another process works on the store.
  public static func workAlone(_ service: ServiceDescription, _ setup: inout ServiceSetup) throws {
    guard case .sqlite(let directory) = setup.configuration[databaseURL] else { return }
    do throws(StorageError) {
      let lock = try StoreLock.acquire(service: service.name, directory: directory)
      setup.onStop("store lock") { lock.release() }
    } catch {
      throw StoreStartError(error: error)
    }
  }
}

/// Why a service can't start, with the setting that decides where its store is.
private struct StoreStartError: Error, CustomStringConvertible {
  let error: StorageError
  var description: String { "\(StoreSettings.databaseURL.name): \(error)" }
}
