import Glibc
import Storage

@testable import Inventory

/// An empty stock store in a directory of its own that is removed with the last reference.
final class TemporaryStock: Sendable {
  let directory: String
  let path: String
  let database: Database
  let store: StockStore

  init(_ configure: (inout DatabaseOptions) -> Void = { _ in }) throws {
    var template = Array("/tmp/oms-inventory-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw StorageError(.cannotOpen, "mkdtemp: \(errno)") }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = try StorePath.prepare(directory: directory, file: "inventory.sqlite")
    var options = DatabaseOptions()
    configure(&options)
    database = try Database(path: path, migrations: StockSchema.migrations, options: options)
    store = StockStore(database)
  }

  deinit {
    for suffix in ["", "-wal", "-shm", "-turn"] { unlink(path + suffix) }
    rmdir(directory)
  }

  /// A second replica on the same file.
  static func another(_ stock: TemporaryStock) throws -> StockStore {
    StockStore(try Database(path: stock.path, migrations: StockSchema.migrations))
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
