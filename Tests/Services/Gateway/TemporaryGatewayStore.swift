import Storage
import TestSupport

@testable import Gateway

/// An empty store of the gateway that goes with the last reference.
final class TemporaryGatewayStore: Sendable {
  private let store: TestStore
  /// For a socket and the like, too.
  var directory: String { store.directory }

  init(_ engine: TestEngine = .sqlite) throws { store = try TestStore(engine) }

  /// As a gateway that starts does; the one before need not have ended.
  func open() throws -> Database { try store.open(GatewaySchema.migrations) { Gateway.configure(&$0) } }

  /// As gateways do for their leases.
  func openLeases() throws -> Database {
    try store.open(GatewaySchema.migrations) {
      Gateway.configure(&$0)
      Gateway.configureLeases(&$0)
    }
  }
}

extension Database {
  /// The first column of a query's only row.
  func number(_ sql: String) async throws -> Int64 {
    try await read { connection in
      try connection.withStatement(sql) { statement in try statement.step() ? statement.integer(0) : 0 }
    }
  }
}
