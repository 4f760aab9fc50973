import Messages
import RPC
import Storage
import TestSupport
import Testing

@testable import Inventory

@Suite("Stock of sources")
struct SourceStockTests {
  private static func text(_ row: OutboxRow) -> String { String(decoding: row.message.body, as: UTF8.self) }

  @Test("a snapshot becomes a message of the bus, with bad rows left out and named")
  func update() async throws {
    try await withInventory { live in
      let reply = try await live.client.updateSourceStock(
        .init(snapshot: source(.delta, ["b=5", "a=-3", "c", "=1", "d=0!", "b=7"])))
      let messages = try await live.outgoing()
      #expect(reply.deliveryIds == messages.map(\.deliveryID))
      #expect([reply.sent, reply.clamped, reply.invalid] == [3, 1, 2])
      #expect(reply.clampedRows.map(\.row) == [1])
      #expect(reply.clampedRows.first?.reason == "quantity -3 is negative; sent as 0")
      #expect(reply.invalidRows.map(\.row) == [2, 3])
      #expect(messages.map(\.message.method) == ["magento.inventory.source_stock_management.update"])
      #expect(messages.map(\.message.key) == ["WH-1"])
      #expect(messages.map(\.message.route) == [.delegate])
      #expect(
        messages.map(Self.text) == [
          #"{"snapshot":{"source_id":"WH-1","mode":"DELTA","created_on":"2024-02-03T04:05:06+00:00","#
            + #""stock":[{"sku":"a","quantity":0,"unlimited":false},{"sku":"b","quantity":7,"unlimited":false},"#
            + #"{"sku":"d","quantity":0,"unlimited":true}]}}"#
        ])
      #expect(live.additions.value == 1)
    }
  }

  @Test("an empty NONZERO says that nothing is there, and goes out")
  func empty() async throws {
    try await withInventory { live in
      let reply = try await live.client.updateSourceStock(.init(snapshot: source(.nonzero, [])))
      #expect(reply.deliveryIds.count == 1)
      let messages = try await live.outgoing()
      #expect(messages.map { Self.text($0).hasSuffix(#""stock":[]}}"#) } == [true])
    }
  }

  @Test("more than 10 000 SKUs go in parts of one process, in order")
  func parts() async throws {
    try await withInventory { live in
      let rows = (0..<25_001).map { TestRow("sku-\($0)", Int64($0)) }
      let reply = try await live.client.updateSourceStock(.init(snapshot: source(.full, rows)))
      #expect(reply.sent == 25_001)
      let messages = try await live.outgoing()
      #expect(messages.map(\.deliveryID) == reply.deliveryIds)
      let parts = try messages.compactMap { try Magento.Oms.V1.SourceStockUpdate(json: $0.message.body).snapshot }
      #expect(parts.map(\.stock.count) == [10_000, 10_000, 5_001])
      let batches = parts.compactMap(\.batch)
      #expect(Set(batches.map(\.processId)).count == 1)
      #expect(batches.map(\.processNumber) == [1, 2, 3])
      #expect(batches.map(\.processTotal) == [3, 3, 3])
      #expect(Set(parts.flatMap(\.stock).map(\.sku)) == Set(rows.map(\.sku)))
    }
  }

  @Test("parts of long SKUs are smaller, so that each fits its way")
  func longSKUs() {
    let awkward = String(repeating: "\u{1}", count: 1_000)
    let rows = (0..<4_000).map { StockRow(sku: awkward + "\($0)", quantity: .max, unlimited: true, index: 0) }
    let snapshot = SourceSnapshot(
      sourceID: "WH-1", mode: .full, createdOn: CreatedOn(nanoseconds: 0), rows: rows, clamped: 0, clampedRows: [],
      invalid: 0, invalidRows: [])
    let messages = snapshot.messages()
    #expect(messages.count > 4)
    #expect(messages.allSatisfy { $0.body.count <= Outbox.maximumBodyBytes })
    #expect(messages.allSatisfy { $0.body.count > 1 << 20 })
  }

  @Test(
    "rows are cut where the next one goes beyond a limit",
    arguments: [(0, [0]), (1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
  func cuts(count: Int, expected: [Int]) {
    let rows = (0..<count).map { StockRow(sku: "\($0)", quantity: 1, unlimited: false, index: 0) }
    #expect(rows.inParts(rows: 3).map(\.count) == expected)
    #expect(rows.inParts(rows: 100, skuBytes: 3).map(\.count) == expected)
    #expect(rows.inParts(rows: 100, skuBytes: 0).allSatisfy { $0.count == min(1, count) }, "one row always fits")
  }

  @Test("SKUs that only Unicode holds for equal are two")
  func bytes() async throws {
    try await withInventory { live in
      let rows = [TestRow("e\u{301}", 1), TestRow("\u{e9}", 2)]
      let updated = try await live.client.updateSourceStock(.init(snapshot: source(.full, rows)))
      let adjusted = try await live.client.adjustSourceStock(.init(adjustment: adjustment(rows)))
      #expect([updated.sent, adjusted.sent] == [2, 2])
    }
  }

  @Test("an adjustment becomes a message of the bus, the rows of a SKU added up")
  func adjust() async throws {
    try await withInventory { live in
      let reply = try await live.client.adjustSourceStock(
        .init(adjustment: adjustment(reason: "count \"A\"", ["b=5", "a=-3", "c=0", "b=-7"])))
      let messages = try await live.outgoing()
      #expect(reply.deliveryIds == messages.map(\.deliveryID))
      #expect(reply.sent == 3)
      #expect(messages.map(\.message.method) == ["magento.inventory.source_stock_management.adjust"])
      #expect(messages.map(\.message.key) == ["WH-1"])
      #expect(
        messages.map(Self.text) == [
          #"{"adjustment":{"source_id":"WH-1","reason":"count \"A\"","created_on":"2024-02-03T04:05:06+00:00","#
            + #""adjustments":[{"sku":"a","quantity":-3},{"sku":"b","quantity":-2},{"sku":"c","quantity":0}]}}"#
        ])
    }
  }

  @Test("the same request under the same id is answered alike and sends nothing again, also after a new start")
  func sameRequest() async throws {
    try await withInventory { live in
      let request = Omsconnector.V1.UpdateSourceStockRequest(
        snapshot: source(.full, ["a=1", "b=-1", "c"]), requestId: "r-1")
      let first = try await live.client.updateSourceStock(request)
      #expect(try await live.client.updateSourceStock(request).serialized() == first.serialized())
      let adjusting = Omsconnector.V1.AdjustSourceStockRequest(adjustment: adjustment(["a=1"]), requestId: "r-1")
      let second = try await live.client.adjustSourceStock(adjusting)
      #expect(second.deliveryIds != first.deliveryIds, "ids are a method's own")
      let reopened = try TemporaryStock.another(live.stock)
      let send = SendSourceStock(database: reopened.database, outbox: Outbox(service: "inventory")) {}
      let again = try await send(
        SourceAdjustment(adjusting.adjustment),
        request: Delivery(
          requestID: "r-1", method: "/omsconnector.v1.InventoryService/AdjustSourceStock",
          content: adjusting.serialized()))
      #expect(again.serialized() == second.serialized())
      await reopened.database.close()
      #expect(try await live.outgoing().count == 2)
    }
  }

  @Test("replicas that tell of one source at the same time wait for each other, rather than failing each other")
  func replicas() async throws {
    let files = try TestStore(.postgresql)
    let databases = try (0..<3).map { _ in try files.open(StockSchema.migrations) { $0.maximumConflicts = 1 } }
    let outbox = Outbox(service: "inventory")
    let ids = try await withThrowingTaskGroup(of: [String].self) { group in
      for database in databases {
        let send = SendSourceStock(database: database, outbox: outbox) {}
        for count in 0..<20 {
          group.addTask {
            let rows: [TestRow] = [.init("a", Int64(count))]
            return try await send(SourceAdjustment(adjustment(rows)), request: nil).deliveryIds
          }
        }
      }
      return try await group.reduce(into: [String]()) { $0 += $1 }
    }
    let told = try await databases[0].read {
      try outbox.rows($0, after: 0, room: .init(rows: 1_000, bytes: .max)) { _ in false }
    }
    #expect(told.count == 60 && Set(told.map(\.deliveryID)) == Set(ids))
    for database in databases { await database.close() }
  }

  @Test("another request under the same id is ALREADY_EXISTS and sends nothing")
  func otherRequest() async throws {
    try await withInventory { live in
      _ = try await live.client.adjustSourceStock(.init(adjustment: adjustment(["a=1"]), requestId: "r-1"))
      let error = await status {
        _ = try await live.client.adjustSourceStock(.init(adjustment: adjustment(["a=2"]), requestId: "r-1"))
      }
      #expect(error?.code == .alreadyExists)
      #expect(error?.details == [.errorInfo(reason: "REQUEST_ID_REUSED", domain: "omsconnector")])
      #expect(try await live.outgoing().count == 1)
    }
  }

  @Test("requests without an id are each their own; a refused one uses up no id")
  func withoutID() async throws {
    try await withInventory { live in
      for _ in 0..<2 { _ = try await live.client.adjustSourceStock(.init(adjustment: adjustment(["a=1"]))) }
      #expect(try await live.outgoing().count == 2)
      let refused = await status {
        _ = try await live.client.adjustSourceStock(.init(adjustment: adjustment([]), requestId: "r-1"))
      }
      #expect(refused?.code == .invalidArgument)
      _ = try await live.client.adjustSourceStock(.init(adjustment: adjustment(["a=1"]), requestId: "r-1"))
      #expect(try await live.outgoing().count == 3)
    }
  }

  @Test("a full store sends nothing and says so")
  func full() async throws {
    try await withInventory([.sqlite], { $0.maximumPages = 40 }) { live in
      // A method that isn't idempotent: the client doesn't wait and try again by itself.
      let rows = (0..<10_000).map { TestRow("a rather long SKU \($0)", 1) }
      let error = await status {
        _ = try await live.client.adjustSourceStock(.init(adjustment: adjustment(rows), requestId: "r-1"))
      }
      #expect(error?.code == .resourceExhausted)
      #expect(try await live.outgoing().isEmpty)
      #expect(live.additions.value == 0)
      let reply = try await live.client.adjustSourceStock(.init(adjustment: adjustment(["a=1"]), requestId: "r-1"))
      #expect(reply.deliveryIds.count == 1)
    }
  }
}

/// A source's snapshot as a client sends it, with `created_on` in seconds since 1970.
func source(
  _ mode: Omsconnector.V1.SnapshotMode, of id: String = "WH-1", at seconds: Int64? = 1_706_933_106, _ rows: [TestRow]
) -> Omsconnector.V1.SourceStockSnapshot {
  .init(
    sourceId: id, mode: mode, createdOn: seconds.map { .init(seconds: $0, nanos: 0) },
    stock: rows.map { .init(sku: $0.sku, quantity: $0.quantity, unlimited: $0.unlimited) })
}

/// A source's changes as a client sends them.
func adjustment(
  of id: String = "WH-1", reason: String = "count", at seconds: Int64? = 1_706_933_106, _ rows: [TestRow]
) -> Omsconnector.V1.SourceStockAdjustment {
  .init(
    sourceId: id, reason: reason, createdOn: seconds.map { .init(seconds: $0, nanos: 0) },
    adjustments: rows.map { .init(sku: $0.sku, quantity: $0.quantity) })
}
