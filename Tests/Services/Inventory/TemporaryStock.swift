import Storage
import TestSupport

@testable import Inventory

/// An empty stock store.
final class TemporaryStock: Sendable {
  private let files: TestStore
  let database: Database
  let store: StockStore
  var directory: String { files.directory }

  init(_ engine: TestEngine = .sqlite, _ configure: (inout DatabaseOptions) -> Void = { _ in }) throws {
    files = try TestStore(engine)
    database = try files.open(StockSchema.migrations, configure)
    store = StockStore(database)
  }

  /// A second replica on the same store.
  static func another(_ stock: TemporaryStock) throws -> StockStore {
    StockStore(try stock.files.open(StockSchema.migrations))
  }

  @discardableResult
  func apply(
    _ mode: SnapshotMode, _ aggregateId: String = "EU-WEB", at time: Int64, _ rows: [TestRow]
  ) async throws -> SnapshotOutcome {
    try await store.enqueue(snapshot(mode, aggregateId, at: time, rows)).value()
  }

  /// `sku=quantity`, with `!` when unlimited and `@time`, in the order of the SKUs.
  func contents(_ aggregateId: String = "EU-WEB") async throws -> [String] {
    try await store.page(aggregateId: aggregateId, after: "", limit: 100_000, byteLimit: .max).stock.map { stock in
      "\(stock.sku)=\(stock.quantity)\(stock.unlimited ? "!" : "")@\(stock.createdOn.nanoseconds)"
    }
  }
}

/// A row of a test's message. `nil` is a missing quantity.
struct TestRow: Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  var sku: String
  var quantity: Int64?
  var unlimited = false

  init(_ sku: String, _ quantity: Int64?, unlimited: Bool = false) {
    self.sku = sku
    self.quantity = quantity
    self.unlimited = unlimited
  }

  /// `a=5`, `a=5!` (unlimited), `a` (without a quantity).
  init(stringLiteral text: String) {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    sku = String(parts[0])
    if parts.count > 1 {
      unlimited = parts[1].hasSuffix("!")
      quantity = Int64(parts[1].prefix { $0 != "!" })
    }
  }

  var description: String { sku + (quantity.map { "=\($0)" } ?? "") + (unlimited ? "!" : "") }
}

func snapshot(
  _ mode: SnapshotMode, _ aggregateId: String = "EU-WEB", at time: Int64, _ rows: [TestRow]
) throws -> StockSnapshot {
  var builder = try SnapshotBuilder(
    aggregateId: aggregateId, mode: mode, createdOn: CreatedOn(nanoseconds: time), rowCount: rows.count)
  for row in rows { builder.add(sku: row.sku, quantity: RowQuantity(row.quantity), unlimited: row.unlimited) }
  return builder.build()
}
