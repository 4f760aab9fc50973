import Storage
import TestSupport
import Testing

@testable import Catalog
@testable import Gateway
@testable import Inventory
@testable import PostSales
@testable import Sales

/// A store with rows in it, made by any version before this one, is brought up to date when a service opens it.
@Suite("An upgrade")
struct UpgradeTests {
  struct Schema: Sendable, CustomTestStringConvertible {
    let service: String
    let migrations: [Migration]
    var testDescription: String { service }
  }

  static let schemas = [
    Schema(service: "gateway", migrations: GatewaySchema.migrations),
    Schema(service: "catalog", migrations: CatalogSchema.migrations),
    Schema(service: "inventory", migrations: StockSchema.migrations),
    Schema(service: "sales", migrations: SalesSchema.migrations),
    Schema(service: "post-sales", migrations: PostSalesSchema.migrations),
  ]

  /// What a step changes of rows that are there, on purpose.
  static let changed: [String: Set<String>] = [
    "stock_push_target": ["last_error"], "sales_payment_command": ["body"], "journal": ["id"],
  ]
  /// What nobody needs any more.
  static let dropped: [String: Set<String>] = ["inbox": ["id"]]
  /// Where the rows of tables go that there are no more.
  static let moved = ["stock_nonzero_spared": "stock_nonzero_named"]

  @Test("of every older version keeps a row of every table", arguments: TestEngine.allCases, schemas)
  func keepsRows(engine: TestEngine, schema: Schema) async throws {
    for version in 1..<schema.migrations.count {
      let files = try TestStore(engine)
      let old = try files.open(Array(schema.migrations.prefix(version)))
      let before = try await old.write { connection in
        let tables = try SchemaTable.all(connection)
        for table in tables { try table.fill(connection) }
        return try tables.map { try $0.row(connection) }
      }
      let tables = try await old.read { try SchemaTable.all($0) }
      await old.close()
      let new = try files.open(schema.migrations)
      let all = try await new.read { try SchemaTable.all($0) }
      let left = Dictionary(uniqueKeysWithValues: all.map { ($0.name, Set($0.columns.map(\.name))) })
      for (table, row) in zip(tables, before) {
        guard let columns = left[table.name] else {
          let place = try #require(Self.moved[table.name], "\(table.name) of version \(version) is gone")
          #expect(try await new.read { try SchemaTable.count(place, $0) } == 1, "\(table.name) of version \(version)")
          continue
        }
        let kept = SchemaTable(name: table.name, columns: table.columns.filter { columns.contains($0.name) })
        let found = try await new.read { try kept.row($0) }
        let free = (Self.changed[table.name] ?? []).union(Self.dropped[table.name] ?? [])
        let lost = table.columns.map(\.name).filter { !free.contains($0) && found[$0] != row[$0] }
        #expect(lost.isEmpty, "\(table.name) of version \(version)")
      }
      await new.close()
    }
  }
}
