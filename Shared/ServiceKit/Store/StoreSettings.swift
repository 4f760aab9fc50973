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
  /// - Throws: an error that names the setting.
  public static func open(
    _ service: ServiceDescription, _ configuration: Configuration, _ migrations: [Migration]
  ) throws -> Database {
    var options = DatabaseOptions()
    options.onBackgroundError = { error in Log.warning("store", ["problem": LogValue(error)]) }
    do throws(StorageError) {
      return try Database(
        service: service.name, at: configuration[databaseURL], migrations: migrations, options: options)
    } catch {
      throw StoreStartError(error: error)
    }
  }

  /// Makes this process the only one of its service that works on the store, until it ends. One that loses that right, which can
  /// happen on PostgreSQL with the connection, fails: another may have it already.
  ///
  /// - Throws: an error that names the setting, at once when another process works on the store.
  public static func workAlone(_ service: ServiceDescription, _ setup: inout ServiceSetup) throws {
    let (losses, loss) = AsyncStream<StorageError>.makeStream()
    let lock: StoreLock
    do throws(StorageError) {
      lock = try StoreLock.acquire(service: service.name, at: setup.configuration[databaseURL]) { loss.yield($0) }
    } catch {
      throw StoreStartError(error: error)
    }
    setup.onStop("store lock") { lock.release() }
    setup.run("store lock") {
      for await error in losses { throw error }
    }
  }
}

/// Why a service can't start, with the setting that decides where its store is.
private struct StoreStartError: Error, CustomStringConvertible {
  let error: StorageError
  var description: String { "\(StoreSettings.databaseURL.name): \(error)" }
}
