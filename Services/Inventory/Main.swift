import ServiceKit
import Storage

/// The inventory service: stock per aggregate and SKU.
@main struct InventoryMain {
  static let databaseURL = Setting<String>(
    "DATABASE_URL", "store, shared by all replicas; the directory is made when missing", allowed: "sqlite:DIR",
    default: "sqlite:$STATE_DIR/data"
  ) { text throws(SettingError) in
    do throws(StorageError) {
      return try StorePath.directory(fromURL: text)
    } catch {
      throw SettingError()
    }
  }

  static let service = ServiceDescription(
    name: "inventory", summary: "stock per aggregate and SKU, as the OMS last told it",
    listen: "unix:$STATE_DIR/inventory/1.sock", settings: [databaseURL])

  static func main() {
    ServiceRunner.run(service) { setup in
      let store = try openStore(directory: setup.configuration[databaseURL])
      setup.onStop("store") { await store.database.close() }
      let applySnapshot = ApplySnapshot(store: store)
      InventoryService(applySnapshot: applySnapshot, store: store).register(in: &setup.router)
      StockMessageConsumer(applySnapshot: applySnapshot, timings: setup.timings).register(in: &setup.router)
    }
  }

  private static func openStore(directory: String) throws -> StockStore {
    var options = DatabaseOptions()
    options.onBackgroundError = { error in Log.warning("store", ["problem": LogValue(error)]) }
    do throws(StorageError) {
      let path = try StorePath.prepare(directory: directory, file: "inventory.sqlite")
      return StockStore(try Database(path: path, migrations: StockSchema.migrations, options: options))
    } catch {
      throw StoreStartError(setting: databaseURL.name, error: error)
    }
  }
}

/// Why the service can't start, with the setting that decides where the store is.
private struct StoreStartError: Error, CustomStringConvertible {
  let setting: String
  let error: StorageError
  var description: String { "\(setting): \(error)" }
}
