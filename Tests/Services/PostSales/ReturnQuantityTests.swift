import RPC
import TestSupport
import Testing

@testable import Commerce
@testable import PostSales

@Suite("Quantities of returns")
struct ReturnQuantityTests {
  @Test("of a line with many units as many entries are asked for as come back, until all have")
  func many() async throws {
    let world = try ReturnWorld()
    for (id, units, entries) in [(1, "3", 3), (2, "147", 147)] as [(Int64, String, Int)] {
      world.shop.put(ReturnWorld.asked(id, item: 1, units))
      let lines = try await world.authorize(id).lines
      #expect(lines.map(\.number) == Array(repeating: 1, count: entries) && lines.allSatisfy { $0.quantity == 1 })
    }
    world.shop.put(ReturnWorld.asked(3, item: 1, "1"))
    let error = await #expect(throws: RPCError.self) { try await world.authorize(3) }
    #expect(error?.code == .failedPrecondition && error?.message.hasSuffix("100000007 0 are left to return") == true)
    await world.close()
  }

  @Test(
    "what can't be counted in units comes back as a whole, else it is said why not",
    arguments: [("2.5", nil), ("1", "takes back as a whole only"), ("3", "2.5 are left"), ("0", "1 to 10000")])
  func decimal(units: String, problem: String?) async throws {
    let world = try ReturnWorld()
    world.shop.put(ReturnWorld.asked(1, item: 2, units))
    do {
      let lines = try await world.authorize(1).lines
      #expect(problem == nil && lines.map(\.number) == [2] && lines.map(\.quantity) == [Decimal("2.5")])
    } catch let error as RPCError {
      #expect(problem.map { error.message.contains($0) } == true, "\(error)")
    }
    await world.close()
  }

  @Test(
    "an entry is a unit, all of a line that has many and is named once, or what the message says",
    arguments: [
      ([(1, nil)], [1: "150"]), ([(1, "4")], [1: "4"]), ([(1, nil), (1, nil)], [1: "2"]), ([(2, nil)], [2: "2.5"]),
      ([(3, nil), (4, nil)], [3: "2"]), ([(1, "999")], [1: "150"]), ([(2, nil), (2, nil)], [2: "2"]),
      ([(2, "1.5"), (2, "1.5")], [2: "2.5"]),
    ] as [([(Int, String?)], [Int64: String])])
  func entries(lines: [(Int, String?)], units: [Int64: String]) {
    let record = { () -> ReturnRecord in
      var record = ReturnRecord(blind: ReturnWorld.notice(lines), now: 1)
      record.take(ReturnWorld.notice(lines))
      return record
    }()
    let found = ReturnedUnits(record: record, order: ReturnWorld.order).byItem
    #expect(found == units.compactMapValues { Decimal($0) })
  }

  @Test("a blind return is made in the shop with its units, and approved with them", arguments: TestEngine.allCases)
  func blind(engine: TestEngine) async throws {
    let world = try ReturnWorld(engine)
    #expect(try await world.tell(ReturnWorld.notice([(1, nil), (2, nil)])) == .done)
    let made = try #require(world.shop.all.first)
    #expect(made.rma.items.map { $0.qtyRequested?.value } == ["150", "2.5"])
    #expect(made.rma.items.map { $0.qtyApproved?.value } == ["150", "2.5"])
    #expect(world.shop.all.count == 1)
    await world.close()
  }
}
