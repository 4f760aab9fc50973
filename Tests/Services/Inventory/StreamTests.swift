import Messages
import RPC
import Testing

@testable import Inventory

@Suite("StreamStockSnapshots")
struct StreamTests {
  private func stream(
    _ live: LiveInventory, _ snapshots: [Omsconnector.V1.StockSnapshot?]
  ) async throws -> Omsconnector.V1.StreamStockSnapshotsResponse {
    try await live.client.streamStockSnapshots { writer in
      for snapshot in snapshots { try await writer.send(.init(snapshot: snapshot)) }
    }
  }

  @Test("parts and aggregates are applied in their order and counted together")
  func totals() async throws {
    try await withInventory { live in
      let reply = try await stream(
        live,
        [
          message(.full, at: 10, ["a=1", "b=-1", "c"]), message(.full, of: "US", at: 10, ["a=2"]),
          message(.delta, at: 9, ["a=5"]), message(.nonzero, at: 11, ["b=3"]),
        ])
      #expect(reply.snapshots == 4)
      #expect([reply.applied, reply.stale, reply.clamped, reply.invalid, reply.zeroed] == [3, 1, 1, 1, 1])
      #expect(try await live.stock.contents() == ["a=0@11000000000", "b=3@11000000000"])
      #expect(try await live.stock.contents("US") == ["a=2@10000000000"])
    }
  }

  @Test("a stream without parts answers nothing but zeros")
  func empty() async throws {
    try await withInventory { live in
      let reply = try await stream(live, [])
      #expect(reply == .init())
    }
  }

  @Test("more rows and more parts than may be in flight all arrive", arguments: [(9, 10_000), (1_500, 1), (60, 1_000)])
  func beyondTheWindow(parts: Int, rows: Int) async throws {
    try await withInventory { live in
      let snapshots = (0..<parts).map { part in
        message(.full, (0..<rows).map { TestRow("sku \(part * rows + $0)", 1) })
      }
      let reply = try await stream(live, snapshots)
      #expect(reply.applied == Int64(parts * rows))
      #expect(reply.snapshots == Int64(parts))
      #expect(try await live.stock.contents().count == min(100_000, parts * rows))
    }
  }

  @Test("a bad part ends the stream with its number; the parts before it stay")
  func badPart() async throws {
    try await withInventory { live in
      let error = await status {
        _ = try await stream(
          live,
          [message(.full, ["a=1"]), message(.full, ["b=1"]), message(.unspecified, ["c=1"]), message(.full, ["d=1"])])
      }
      #expect(error?.code == .invalidArgument)
      #expect(
        error?.message == "part 3: snapshot EU-WEB: mode is missing; send one of FULL, DELTA, NONZERO; "
          + "parts 1 to 2 are applied and stay")
      let contents = try await live.stock.contents()
      #expect(contents == ["a=1@1000000000", "b=1@1000000000"])
    }
  }

  @Test("a bad first part says that nothing was applied")
  func badFirstPart() async throws {
    try await withInventory { live in
      let error = await status { _ = try await stream(live, [nil]) }
      #expect(
        error?.message
          == "part 1: snapshot is missing; send aggregate_id, mode, created_on and stock in it; no part before it was applied"
      )
    }
  }

  @Test(
    "a store that fills up ends the stream with RESOURCE_EXHAUSTED, the part and the remedy; what was durable stays")
  func full() async throws {
    try await withInventory([.sqlite], { $0.maximumPages = 300 }) { live in
      let snapshots = (0..<40).map { part in
        message(.full, (0..<1_000).map { TestRow("sku \(part * 1_000 + $0)", 1) })
      }
      let error = await status { _ = try await stream(live, snapshots) }
      #expect(error?.code == .resourceExhausted)
      let text = error?.message ?? ""
      #expect(text.contains("store is full: free disk space under \(live.stock.directory)"))
      // "part 23: …; parts 1 to 22 are applied and stay"
      let durable = text.split(separator: " ").compactMap { Int($0) }.last ?? 0
      let stored = try await live.stock.contents().count
      #expect(durable > 0)
      #expect(stored >= durable * 1_000)
      #expect(stored < 40_000)
    }
  }

  @Test("the named rows of all parts together are bounded")
  func boundedIssues() async throws {
    try await withInventory { live in
      let part = message(.full, (0..<600).map { TestRow("bad \($0)", nil) })
      let reply = try await stream(live, [part, part, part])
      #expect(reply.invalid == 1_800)
      #expect(reply.invalidRows.count == 1_000)
    }
  }
}
