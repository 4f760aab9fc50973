import Messages
import RPC
import ServiceKit
import Testing

@testable import Inventory

@Suite("InventoryService")
struct InventoryServiceTests {
  @Test("a snapshot is applied, counted and read back")
  func applyAndGet() async throws {
    try await withInventory { live in
      let rows: [TestRow] = ["a=5", "b=-2", "c=7!", "d", "=1"]
      let reply = try await live.client.applyStockSnapshot(.init(snapshot: message(.full, rows)))
      #expect(reply.applied == 2)
      #expect(reply.clamped == 1)
      #expect(reply.invalid == 2)
      #expect(reply.clampedRows.map(\.row) == [1])
      #expect(reply.clampedRows.first?.reason == "quantity -2 is negative; applied as 0")
      #expect(reply.invalidRows.map(\.row) == [3, 4])
      #expect(reply.invalidRows.map(\.aggregateId) == ["EU-WEB", "EU-WEB"])

      let again = try await live.client.applyStockSnapshot(.init(snapshot: message(.delta, at: 0, ["a=9"])))
      #expect(again.stale == 1)

      let stock = try await live.client.getStock(.init(aggregateId: "EU-WEB", sku: "c")).stock
      #expect(
        stock
          == .init(
            sku: "c", aggregateId: "EU-WEB", quantity: 7, unlimited: true, createdOn: .init(seconds: 1, nanos: 0)))
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var request: Omsconnector.V1.StockSnapshot?
    var message: String
    var testDescription: String { message }
  }

  @Test(
    "a snapshot that is bad as a whole is refused, naming value and remedy, and changes nothing",
    arguments: [
      Refusal(request: nil, message: "snapshot is missing; send aggregate_id, mode, created_on and stock in it"),
      Refusal(
        request: message(.full, of: "", ["a=1"]),
        message: "snapshot: aggregate_id is missing; send the id of the OMS's aggregate"),
      Refusal(
        request: message(.unspecified, ["a=1"]),
        message: "snapshot EU-WEB: mode is missing; send one of FULL, DELTA, NONZERO"),
      Refusal(
        request: message(.init(rawValue: 7), ["a=1"]),
        message: "snapshot EU-WEB: mode 7 is not one of FULL, DELTA, NONZERO"),
      Refusal(
        request: message(.full, at: nil, ["a=1"]),
        message: "snapshot EU-WEB: created_on is missing; send when the quantities were true"),
      Refusal(
        request: message(.full, at: -1, ["a=1"]),
        message: "snapshot EU-WEB: created_on 1969-12-31T23:59:59Z is not between the years 1970 and 2262"),
      Refusal(
        request: message(.full, at: 9_223_372_037, ["a=1"]),
        message: "snapshot EU-WEB: created_on 2262-04-11T23:47:17Z is not between the years 1970 and 2262"),
      Refusal(
        request: message(.full, (0...10_000).map { TestRow("\($0)", 1) }),
        message: "snapshot EU-WEB: 10001 rows; at most 10000 in one message: send it in parts with the same created_on"),
    ])
  func refused(_ refusal: Refusal) async throws {
    try await withInventory { live in
      let error = await status {
        _ = try await live.client.applyStockSnapshot(.init(snapshot: refusal.request))
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message == refusal.message)
      let contents = try await live.stock.contents()
      #expect(contents.isEmpty)
    }
  }

  @Test("what no snapshot has named is NOT_FOUND, with a hint")
  func notFound() async throws {
    try await withInventory { live in
      try await live.stock.apply(.full, at: 1, ["a=1"])
      for (aggregate, sku) in [("EU-WEB", "A"), ("EU", "a")] {
        let error = await status { _ = try await live.client.getStock(.init(aggregateId: aggregate, sku: sku)) }
        #expect(error?.code == .notFound)
        #expect(error?.message.hasPrefix("no stock of SKU \"\(sku)\" in aggregate \"\(aggregate)\": ") == true)
      }
    }
  }

  @Test("GetStock and ListStock say what is missing or wrong")
  func badReads() async throws {
    try await withInventory { live in
      let noAggregate = await status { _ = try await live.client.getStock(.init(sku: "a")) }
      #expect(noAggregate?.code == .invalidArgument)
      #expect(noAggregate?.message == "aggregate_id is missing; send the id of the OMS's aggregate")
      let noSKU = await status { _ = try await live.client.getStock(.init(aggregateId: "EU")) }
      #expect(noSKU?.message == "sku is missing; send the product's SKU")
      let noList = await status { _ = try await live.client.listStock(.init()) }
      #expect(noList?.message == "aggregate_id is missing; send the id of the OMS's aggregate")
      let negative = await status { _ = try await live.client.listStock(.init(aggregateId: "EU", pageSize: -1)) }
      #expect(negative?.code == .invalidArgument)
      let foreign = PageToken.encode(after: "a", of: "US")
      for token in ["garbage", foreign] {
        let error = await status {
          _ = try await live.client.listStock(.init(aggregateId: "EU", pageToken: token))
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("\"\(token)\" is no next_page_token of this list") == true)
      }
    }
  }

  @Test(
    "ListStock answers pages of 100, of at most 1 000, until an empty token",
    arguments: [(0, 100), (7, 7), (5_000, 1_000)])
  func pages(asked: Int32, size: Int) async throws {
    try await withInventory { live in
      try await live.stock.apply(.full, at: 1, (0..<1_500).map { TestRow("sku \($0)", Int64($0)) })
      var (sizes, seen, token) = ([Int](), Set<String>(), "")
      repeat {
        let page = try await live.client.listStock(
          .init(aggregateId: "EU-WEB", pageSize: asked, pageToken: token))
        sizes.append(page.stock.count)
        seen.formUnion(page.stock.map(\.sku))
        token = page.nextPageToken
      } while !token.isEmpty
      #expect(seen.count == 1_500)
      #expect(sizes.dropLast().allSatisfy { $0 == size })
      #expect(sizes.count == (1_500 + size - 1) / size)
      let unknown = try await live.client.listStock(.init(aggregateId: "nobody's"))
      #expect(unknown.stock.isEmpty && unknown.nextPageToken.isEmpty)
    }
  }

  @Test("pages of the longest SKUs fit a message")
  func largePages() async throws {
    try await withInventory { live in
      let aggregate = String(repeating: "a", count: 1_024)
      let rows = (0..<2_000).map { TestRow(String(repeating: "x", count: 1_020) + String($0 + 1_000), 1) }
      try await live.stock.apply(.full, aggregate, at: 1, rows)
      var token = ""
      var seen = 0
      repeat {
        let page = try await live.client.listStock(.init(aggregateId: aggregate, pageSize: 1_000, pageToken: token))
        #expect(page.serialized().count < 2 << 20)
        seen += page.stock.count
        token = page.nextPageToken
      } while !token.isEmpty
      #expect(seen == 2_000)
    }
  }
}
