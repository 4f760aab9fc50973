import Messages
import Testing

@testable import Control

@Suite("Files of stock on their way")
struct StockImportTests {
  private func snapshots(
    _ mode: Omsconnector.V1.SnapshotMode, rows: Int, createdOn: Google.Protobuf.Timestamp = .init(seconds: 7, nanos: 5)
  ) throws -> [(snapshot: Omsconnector.V1.StockSnapshot, lines: [Int])] {
    let text = "sku,quantity\n" + (0..<rows).map { "S\($0),\($0)\n" }.joined()
    let stock = try StockCSV(name: "f.csv", bytes: Array(text.utf8))
    return StockImport(aggregate: "A", mode: mode, createdOn: createdOn, stock: stock).snapshots
  }

  @Test("a file goes as it is meant", arguments: [.full, .delta, .nonzero] as [Omsconnector.V1.SnapshotMode])
  func onePart(mode: Omsconnector.V1.SnapshotMode) throws {
    let all = try snapshots(mode, rows: 3)
    #expect(all.map(\.snapshot.mode) == [mode] && all[0].lines == [2, 3, 4])
    #expect(all[0].snapshot.createdOn == .init(seconds: 7, nanos: 5) && all[0].snapshot.aggregateId == "A")
  }

  @Test("of a large file that names what is in stock, nothing becomes 0 before all rows are in")
  func nonzero() throws {
    let all = try snapshots(.nonzero, rows: 12_000)
    #expect(all.map(\.snapshot.mode) == [.delta, .delta, .delta, .nonzero])
    #expect(all.map(\.snapshot.stock.count) == [5_000, 5_000, 2_000, 0])
    #expect(all.map { $0.snapshot.createdOn?.nanos } == [5, 5, 5, 4], "what the rows say is newer than the last part")
    let whole = try snapshots(.nonzero, rows: 6_000, createdOn: .init(seconds: 7))
    #expect(whole.last?.snapshot.createdOn == .init(seconds: 6, nanos: 999_999_999))
  }

  @Test("rows that were not applied as they stand have the number of their line, also in later parts")
  func lines() {
    var imported = ImportedStock()
    imported.add(.init(applied: 1, clamped: 1, clampedRows: [.init(row: 1, sku: "B")]), lines: [2, 3])
    imported.add(.init(stale: 2, invalid: 1, zeroed: 4, invalidRows: [.init(row: 0, sku: "C")]), lines: [5])
    let total = imported.total
    #expect(total.clampedRows.map(\.row) == [3] && total.invalidRows.map(\.row) == [5])
    #expect([total.applied, total.stale, total.clamped, total.invalid, total.zeroed] == [1, 2, 1, 1, 4])
    #expect(total.snapshots == 2)
    let table = AppliedStock(total, row: "LINE").tables[1].render()
    #expect(table.hasPrefix("ISSUE    LINE") && table.contains("clamped     3"))
  }

  @Test("of any number of issues the first thousand are named")
  func manyIssues() {
    var imported = ImportedStock()
    for _ in 0..<3 {
      imported.add(
        .init(clampedRows: (0..<700).map { .init(row: $0) }), lines: Array(0..<700))
    }
    #expect(imported.total.clampedRows.count == ImportedStock.namedRows)
  }
}
