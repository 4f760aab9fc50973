import TestSupport
import Testing

@testable import Inventory

@Suite("Pages of stock")
struct PageTests {
  @Test("pages follow each other without gap or repetition", arguments: TestEngine.allCases, [1, 3, 7, 99, 100, 101])
  func pages(engine: TestEngine, limit: Int) async throws {
    let stock = try TemporaryStock(engine)
    let rows = (0..<100).map { TestRow("sku \($0)", Int64($0)) }
    try await stock.apply(.full, at: 1, rows)
    try await stock.apply(.full, "EU-WEC", at: 1, ["zzz=1"])
    var seen: [String] = []
    var after = ""
    while true {
      let page = try await stock.store.page(aggregateId: "EU-WEB", after: after, limit: limit, byteLimit: .max)
      #expect(page.stock.count <= limit)
      seen += page.stock.map(\.sku)
      if page.isLast { break }
      after = try #require(page.stock.last?.sku)
    }
    #expect(seen == rows.map(\.sku).sorted())
    await stock.database.close()
  }

  @Test("a page ends early when its bytes reach the limit, but holds a row at least", arguments: TestEngine.allCases)
  func byteLimit(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, at: 1, (0..<50).map { TestRow(String(repeating: "x", count: 900) + "\($0)", 1) })
    let page = try await stock.store.page(aggregateId: "EU-WEB", after: "", limit: 50, byteLimit: 9_000)
    #expect(page.stock.count == 10)
    #expect(!page.isLast)
    let tiny = try await stock.store.page(aggregateId: "EU-WEB", after: "", limit: 50, byteLimit: 1)
    #expect(tiny.stock.count == 1)
    await stock.database.close()
  }
}
