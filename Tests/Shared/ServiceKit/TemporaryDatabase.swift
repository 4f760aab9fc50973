import Storage
import TestSupport

/// An empty store that goes with the last reference.
final class TemporaryDatabase: Sendable {
  private let store: TestStore
  private let migrations: [Migration]
  let database: Database

  init(_ migrations: [Migration], on engine: TestEngine = .sqlite) throws {
    store = try TestStore(engine)
    self.migrations = migrations
    database = try store.open(migrations)
  }

  /// The same store, as another replica sees it.
  func another() throws -> Database { try store.open(migrations) }
}
