import Commerce
import Storage
import TestSupport

@testable import Sales

/// An empty store of orders.
final class TemporarySales: Sendable {
  private let files: TestStore
  let store: SalesStore
  var database: Database { store.database }
  var directory: String { files.directory }

  init(_ engine: TestEngine = .sqlite) throws {
    files = try TestStore(engine)
    store = SalesStore(try files.open(SalesSchema.migrations))
  }

  /// Adds an order with its lines.
  func add(_ order: SalesOrder, _ lines: [SalesLine] = []) async throws {
    let store = store
    try await database.write(key: order.incrementID) { connection in
      try store.save(connection, order)
      try store.replaceLines(connection, of: order.incrementID, with: lines)
    }
  }

  /// What waits in the outbox.
  func outgoing() async throws -> [OutboxRow] {
    let outbox = store.outbox
    return try await database.read { connection in
      try outbox.rows(connection, after: 0, room: .init(rows: 1_000, bytes: .max)) { _ in false }
    }
  }
}

/// An order that the OMS has, with the rest as it may be.
func order(
  _ incrementID: String = "000000007", _ state: ExportState = .accepted, createdAt: Int64 = 1_000
) -> SalesOrder {
  SalesOrder(
    incrementID: incrementID, entityID: 7, website: "base", storeView: "default", channel: "EU-STORE", currency: "EUR",
    baseCurrency: "EUR", grandTotal: 25, paymentMethod: "checkmo", captureModel: .offlineCaptured, exportState: state,
    createdAt: createdAt)
}

/// A line of a physical thing.
func line(_ number: Int, _ sku: String = "MUG", quantity: Decimal = 1) -> SalesLine {
  SalesLine(
    number: number, itemID: 3, kind: .physical, sku: sku, productID: 9, name: "Mug", quantity: quantity, gross: 10)
}
