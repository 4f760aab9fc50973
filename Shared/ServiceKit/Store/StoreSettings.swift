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
  /// - Parameters:
  ///   - lock: of ``workAlone(_:_:)``, by a service of which only one process may work on its store.
  ///   - configure: changes what the service wants otherwise than others.
  /// - Throws: an error that names the setting.
  public static func open(
    _ service: ServiceDescription, _ configuration: Configuration, _ migrations: [Migration], lock: StoreLock? = nil,
    _ configure: (inout DatabaseOptions) -> Void = { _ in }
  ) throws -> Database {
    var options = DatabaseOptions()
    options.fence = lock?.fence
    configure(&options)
    options.onBackgroundError = { error in Log.warning("store", ["problem": LogValue(error)]) }
    do throws(StorageError) {
      return try Database(
        service: service.name, at: configuration[databaseURL], migrations: migrations, options: options)
    } catch {
      throw StoreStartError(error: error)
    }
  }

  /// Makes this process the only one of its service that works on the store, until it ends. On PostgreSQL the right can be lost
  /// with the connection; it is taken again by itself, and ``StoreLock/isHeld`` is false until then. When another process had it
  /// in between, this one fails: what it knows of the store may not be true any more, and it would not know what else the other
  /// one does.
  ///
  /// - Throws: an error that names the setting, at once when another process works on the store.
  public static func workAlone(_ service: ServiceDescription, _ setup: inout ServiceSetup) throws -> StoreLock {
    let (events, event) = AsyncStream<StoreLock.Event>.makeStream()
    let lock: StoreLock
    do throws(StorageError) {
      lock = try StoreLock.acquire(service: service.name, at: setup.configuration[databaseURL]) { event.yield($0) }
    } catch {
      throw StoreStartError(error: error)
    }
    setup.onStop("store lock") { lock.release() }
    setup.run("store lock") {
      for await event in events {
        switch event {
        case .lost(let error):
          Log.warning("the store's lock is lost until it can be taken again", ["reason": LogValue(error)])
        case .regained: Log.info("the store's lock is held again, and nobody had it meanwhile")
        case .taken(let error): throw error
        }
      }
    }
    return lock
  }
}

/// Why a service can't start, with the setting that decides where its store is.
private struct StoreStartError: Error, CustomStringConvertible {
  let error: StorageError
  var description: String { "\(StoreSettings.databaseURL.name): \(error)" }
}
