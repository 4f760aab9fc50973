import EventLoop
import Glibc
import Messages
import RPC
import Stubs
import Testing

@testable import Control

/// What operators do to stock, against a gateway that answers what the test says.
@Suite("omsctl stock, aggregates, sources")
struct StockCommandTests {
  private typealias Inventory = Omsconnector.V1.InventoryServiceMethods

  @Test("explain shows each event with its reason, over several pages")
  func explain() async throws {
    let result = try await run(["stock", "explain", "EU", "MUG", "--limit", "2"]) { router in
      router.unary(Inventory.explainStock) { request, _ in
        .init(
          stock: .init(sku: "MUG", aggregateId: "EU", quantity: 5),
          events: [
            .init(
              at: .init(seconds: 1), verdict: request.pageToken.isEmpty ? .stale : .applied, quantity: 7, mode: .delta,
              journalId: 12, explanation: "too old")
          ], nextPageToken: request.pageToken + "x")
      }
    }
    #expect(result.code == 0)
    #expect(result.out.contains("1970-01-01T00:00:01Z  STALE           7  DELTA       12  too old\n"))
    #expect(result.out.contains("APPLIED"))
    #expect(result.err == "there is more; raise --limit to see it\n")
  }

  @Test("held snapshots are shown, applied and dropped")
  func held() async throws {
    let register: (inout Router) -> Void = { router in
      router.unary(Inventory.listHeldSnapshots) { _, _ in
        .init(heldSnapshots: [
          .init(id: 7, aggregateId: "EU", mode: .nonzero, reason: .manyZeros, explanation: "many", skus: 9, zeros: 4)
        ])
      }
      router.unary(Inventory.decideHeldSnapshot) { request, _ in
        request.apply ? .init(applied: .init(zeroed: request.id)) : .init()
      }
    }
    let list = try await run(["stock", "held"], register)
    #expect(list.out.contains("7  EU         NONZERO"))
    #expect(list.out.hasSuffix("\ndecide: omsctl stock held apply ID, or drop ID\n"))
    #expect(try await run(["stock", "held", "apply", "7"], register).out.hasSuffix("7\n"))
    #expect(try await run(["stock", "held", "drop", "7"], register).out == "dropped\n")
    for words in [
      ["apply"], ["keep", "7"], ["drop", "x"], ["drop", "7", "--aggregate", "EU"], ["--aggregate", "EU"],
    ] {
      #expect(try await run(["stock", "held"] + words, register).code == 2)
    }
  }

  @Test("several held snapshots are decided at once, or all of an aggregate; nothing when one is unknown")
  func heldTogether() async throws {
    let decided = Lock([Int64]())
    let register: (inout Router) -> Void = { router in
      router.unary(Inventory.listHeldSnapshots) { request, _ in
        request.pageToken.isEmpty
          ? .init(
            heldSnapshots: [.init(id: 1, aggregateId: "EU"), .init(id: 2, aggregateId: "US")], nextPageToken: "more")
          : .init(heldSnapshots: [.init(id: 3, aggregateId: "EU")])
      }
      router.unary(Inventory.decideHeldSnapshot) { request, _ in
        decided.withLock { $0.append(request.id) }
        if request.id == 2, request.apply { throw RPCError(.unavailable, "away") }
        return request.apply ? .init(applied: .init(applied: 1, zeroed: request.id)) : .init()
      }
    }
    func made() -> [Int64] {
      decided.withLock { ids in
        defer { ids = [] }
        return ids
      }
    }
    let applied = try await run(["stock", "held", "apply", "1", "3", "1"], register)
    #expect(applied.code == 0 && applied.out.contains("2        2      0        0        0       4"))
    #expect(made() == [1, 3])
    #expect(try await run(["stock", "held", "drop", "--aggregate", "EU"], register).out == "2 dropped\n")
    #expect(made() == [1, 3])
    let unknown = try await run(["stock", "held", "drop", "1", "9"], register)
    #expect(unknown.code == 1 && unknown.err.contains("no held snapshot 9") && made() == [])
    #expect(try await run(["stock", "held", "drop", "--aggregate", "JP"], register).code == 1)
    let parts: (inout Router) -> Void = { router in
      let part = Omsconnector.V1.HeldSnapshot(
        aggregateId: "EU", mode: .nonzero, createdOn: .init(seconds: 5), reason: .future)
      router.unary(Inventory.listHeldSnapshots) { _, _ in
        .init(
          heldSnapshots: ([4, 5] as [Int64]).map { id in
            var part = part
            part.id = id
            return part
          })
      }
      router.unary(Inventory.decideHeldSnapshot) { request, _ in
        decided.withLock { $0.append(request.id) }
        return .init(applied: .init(applied: 2))
      }
    }
    #expect(try await run(["stock", "held", "apply", "4", "5"], parts).code == 0)
    #expect(made() == [4], "the other part went with it")
    let half = try await run(["stock", "held", "apply", "1", "2", "3"], register)
    #expect(half.code != 0 && half.err.contains("1 of 3 are decided; 2 is not") && made() == [1, 2])
  }

  @Test("set, reset and push say what they did")
  func changes() async throws {
    let stock = Omsconnector.V1.Stock(sku: "MUG", aggregateId: "EU", quantity: 5)
    let register: (inout Router) -> Void = { router in
      router.unary(Inventory.setStock) { _, _ in .init(stock: stock) }
      router.unary(Inventory.resetStockTimestamp) { _, _ in .init(stock: stock) }
      router.unary(Inventory.pushStock) { request, _ in .init(pending: request.aggregateId.isEmpty ? 2 : 900) }
    }
    #expect(try await run(["stock", "set", "EU", "MUG", "5"], register).out.contains("EU         MUG         5\n"))
    #expect(try await run(["stock", "set", "EU", "MUG", "-5"], register).code == 2)
    #expect(try await run(["stock", "reset-timestamp", "EU", "MUG"], register).out.contains("MUG"))
    #expect(try await run(["stock", "push", "MUG", "CUP"], register).out == "2 on the way to the shop\n")
    #expect(try await run(["stock", "push", "--aggregate", "EU"], register).out == "900 on the way to the shop\n")
    #expect(try await run(["stock", "push"], register).code == 2)
  }

  @Test("aggregates name what goes nowhere and what fails; sources are listed")
  func lists() async throws {
    let register: (inout Router) -> Void = { router in
      router.unary(Inventory.listAggregates) { _, _ in
        .init(aggregates: [
          .init(
            aggregateId: "EU", website: "base", sourceCode: "berlin", skus: 9, pending: 3, failed: 1, lastError: "down"),
          .init(aggregateId: "US", skus: 4),
        ])
      }
      router.unary(Inventory.listSources) { _, _ in
        .init(sources: [.init(sourceId: "S1", name: "Berlin", type: "Warehouse", aggregateIds: ["EU"], deleted: true)])
      }
    }
    let aggregates = try await run(["aggregates"], register)
    #expect(aggregates.out.contains("EU         base     berlin     9        3       1\n"))
    #expect(aggregates.err == "US goes nowhere: the mapping file names no website for it\nEU: down\n")
    #expect(try await run(["sources"], register).out.contains("S1      Berlin  Warehouse  deleted  no       EU\n"))
  }
}
