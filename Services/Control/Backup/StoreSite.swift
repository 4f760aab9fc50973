import ServiceKit
import Storage

/// The stores of the services of this connector, as the services find them.
struct StoreSite {
  /// Those that have a store. A test holds the list against the executables.
  static let services = ["catalog", "gateway", "inventory", "post-sales", "sales"]

  let location: StoreLocation

  /// - Throws: ``UsageError`` when DATABASE_URL can't be used.
  init(_ environment: Environment) throws(UsageError) {
    do {
      location = try Configuration([StoreSettings.databaseURL], environment: environment)[StoreSettings.databaseURL]
    } catch {
      throw UsageError("\(error)")
    }
  }

  var engine: StorageEngine {
    switch location {
    case .sqlite: .sqlite
    case .postgresql: .postgresql
    }
  }

  /// For people.
  var description: String {
    switch location {
    case .sqlite(let directory): directory
    case .postgresql(let url): url.description
    }
  }
}

extension StorageEngine {
  /// As a backup's manifest has it.
  var name: String {
    switch self {
    case .sqlite: "sqlite"
    case .postgresql: "postgresql"
    }
  }

  init?(name: String) {
    switch name {
    case "sqlite": self = .sqlite
    case "postgresql": self = .postgresql
    default: return nil
    }
  }
}
