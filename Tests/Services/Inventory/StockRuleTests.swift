import TestSupport
import Testing

@testable import Inventory

/// connector.md §5, the timestamp rule; §2.12, unlimited.
@Suite("The rule of stock")
struct StockRuleTests {
  struct Step: Sendable {
    var mode: SnapshotMode
    var time: Int64
    var rows: [TestRow]
    /// applied, stale, clamped, invalid, zeroed
    var counts: [Int]
  }

  struct Story: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var steps: [Step]
    var contents: [String]

    init(_ description: String, _ steps: [(SnapshotMode, Int64, [TestRow], [Int])], _ contents: [String]) {
      testDescription = description
      self.steps = steps.map { Step(mode: $0.0, time: $0.1, rows: $0.2, counts: $0.3) }
      self.contents = contents
    }
  }

  static let stories = [
    Story(
      "an older row is stale, an equally old or newer one is applied",
      [
        (.full, 10, ["a=1", "b=1", "c=1"], [3, 0, 0, 0, 0]),
        (.delta, 9, ["a=9"], [0, 1, 0, 0, 0]),
        (.delta, 10, ["b=9"], [1, 0, 0, 0, 0]),
        (.delta, 11, ["c=9"], [1, 0, 0, 0, 0]),
      ], ["a=1@10", "b=9@10", "c=9@11"]),
    Story(
      "a late part of a FULL loses to a DELTA that was issued meanwhile, for that SKU only",
      [
        (.full, 10, ["a=1"], [1, 0, 0, 0, 0]),
        (.delta, 12, ["b=7"], [1, 0, 0, 0, 0]),
        (.full, 10, ["b=1", "c=1"], [1, 1, 0, 0, 0]),
      ], ["a=1@10", "b=7@12", "c=1@10"]),
    Story(
      "what a FULL or a DELTA leaves out keeps its value",
      [
        (.full, 10, ["a=1", "b=1"], [2, 0, 0, 0, 0]), (.full, 20, ["a=2"], [1, 0, 0, 0, 0]),
        (.delta, 30, ["a=3"], [1, 0, 0, 0, 0]),
      ], ["a=3@30", "b=1@10"]),
    Story(
      "a message sent twice changes nothing the second time",
      [(.nonzero, 10, ["a=1", "b=2"], [2, 0, 0, 0, 0]), (.nonzero, 10, ["a=1", "b=2"], [2, 0, 0, 0, 0])],
      ["a=1@10", "b=2@10"]),
    Story(
      "within one message the last row of a SKU wins",
      [(.full, 10, ["b=1", "a=1", "b=2", "a=2", "b=3"], [5, 0, 0, 0, 0])], ["a=2@10", "b=3@10"]),
    Story(
      "all rows of a SKU are stale, or none",
      [
        (.delta, 12, ["b=7", "d=8"], [2, 0, 0, 0, 0]),
        (.full, 10, ["d=1", "b=1", "a=1", "b=2", "a=-3", "c=4"], [2, 3, 1, 0, 0]),
      ], ["a=0@10", "b=7@12", "c=4@10", "d=8@12"]),
    Story(
      "a negative quantity is applied as 0 and counted as clamped, or as stale when it is older",
      [
        (.full, 10, ["a=-5", "b=5"], [1, 0, 1, 0, 0]), (.delta, 9, ["a=-1", "b=-1"], [0, 2, 0, 0, 0]),
        (.delta, 11, ["b=-9223372036854775808"], [0, 0, 1, 0, 0]),
      ], ["a=0@10", "b=0@11"]),
    Story(
      "a bad row doesn't sink the good ones",
      [(.full, 10, ["a=1", "=4", "b", "c=3", "d!"], [2, 0, 0, 3, 0])], ["a=1@10", "c=3@10"]),
    Story(
      "a snapshot without rows is nothing, except a NONZERO, for which everything is left out",
      [
        (.full, 10, ["a=1"], [1, 0, 0, 0, 0]), (.full, 11, [], [0, 0, 0, 0, 0]), (.delta, 11, [], [0, 0, 0, 0, 0]),
        (.nonzero, 12, [], [0, 0, 0, 0, 1]),
      ], ["a=0@12"]),
    Story(
      "a NONZERO zeroes what it leaves out, unless unlimited or newer",
      [
        (.full, 10, ["a=1", "b=2", "c=3!", "d=4"], [4, 0, 0, 0, 0]), (.delta, 30, ["d=5"], [1, 0, 0, 0, 0]),
        (.nonzero, 20, ["a=9"], [1, 0, 0, 0, 1]),
      ], ["a=9@20", "b=0@20", "c=3!@10", "d=5@30"]),
    Story(
      "a NONZERO zeroes what is equally old",
      [(.full, 10, ["a=1", "b=2"], [2, 0, 0, 0, 0]), (.nonzero, 10, ["a=3"], [1, 0, 0, 0, 1])], ["a=3@10", "b=0@10"]),
    Story(
      "an older NONZERO zeroes nothing",
      [(.full, 10, ["a=1", "b=2"], [2, 0, 0, 0, 0]), (.nonzero, 9, ["a=3"], [0, 1, 0, 0, 0])], ["a=1@10", "b=2@10"]),
    Story(
      "a zeroed SKU takes the NONZERO's time, so that an older DELTA can't bring it back",
      [
        (.full, 10, ["a=1", "b=2"], [2, 0, 0, 0, 0]), (.nonzero, 20, ["a=3"], [1, 0, 0, 0, 1]),
        (.delta, 15, ["b=8"], [0, 1, 0, 0, 0]), (.delta, 20, ["b=9"], [1, 0, 0, 0, 0]),
      ], ["a=3@20", "b=9@20"]),
    Story(
      "a SKU that is 0 already takes the NONZERO's time as well",
      [
        (.full, 10, ["a=0"], [1, 0, 0, 0, 0]), (.nonzero, 20, [], [0, 0, 0, 0, 1]),
        (.delta, 15, ["a=8"], [0, 1, 0, 0, 0]),
      ], ["a=0@20"]),
    Story(
      "the parts of one NONZERO don't zero each other",
      [
        (.full, 10, ["a=1", "b=2", "c=3", "d=4"], [4, 0, 0, 0, 0]),
        (.nonzero, 20, ["a=5"], [1, 0, 0, 0, 3]), (.nonzero, 20, ["b=6"], [1, 0, 0, 0, 0]),
        (.nonzero, 20, ["c=7"], [1, 0, 0, 0, 0]),
      ], ["a=5@20", "b=6@20", "c=7@20", "d=0@20"]),
    Story(
      "a row of a NONZERO that another message wrote over at the same time is still named by the NONZERO",
      [
        (.nonzero, 20, ["a=5"], [1, 0, 0, 0, 0]), (.delta, 20, ["a=6"], [1, 0, 0, 0, 0]),
        (.nonzero, 20, ["b=7"], [1, 0, 0, 0, 0]), (.full, 21, [], [0, 0, 0, 0, 0]),
      ], ["a=6@20", "b=7@20"]),
    Story(
      "a part that follows another one zeroes nothing until a later FULL or NONZERO says that it was the last",
      [
        (.full, 10, ["a=1", "b=2"], [2, 0, 0, 0, 0]), (.nonzero, 20, ["a=5", "b=6"], [2, 0, 0, 0, 0]),
        (.delta, 19, ["c=7"], [1, 0, 0, 0, 0]), (.nonzero, 20, ["a=6"], [1, 0, 0, 0, 0]),
        (.delta, 21, ["b=8"], [1, 0, 0, 0, 0]), (.full, 20, ["d=1"], [1, 0, 0, 0, 0]),
        (.full, 22, ["a=9"], [1, 0, 0, 0, 2]),
      ], ["a=9@22", "b=8@21", "c=0@20", "d=0@20"]),
    Story(
      "a newer NONZERO zeroes what an older one wrote",
      [(.nonzero, 20, ["a=5"], [1, 0, 0, 0, 0]), (.nonzero, 21, ["b=7"], [1, 0, 0, 0, 1])], ["a=0@21", "b=7@21"]),
    Story(
      "a SKU that a NONZERO names in a bad row only is not left out",
      [
        (.full, 10, ["a=1", "b=2", "c=3"], [3, 0, 0, 0, 0]), (.nonzero, 20, ["a=5", "b", "b", ""], [1, 0, 0, 3, 1]),
        (.nonzero, 21, ["a=6"], [1, 0, 0, 0, 2]),
      ], ["a=6@21", "b=0@21", "c=0@21"]),
    Story(
      "a SKU that stops being unlimited is zeroed like any other",
      [
        (.full, 10, ["a=1!"], [1, 0, 0, 0, 0]), (.delta, 11, ["a=1"], [1, 0, 0, 0, 0]),
        (.nonzero, 20, [], [0, 0, 0, 0, 1]),
      ], ["a=0@20"]),
    Story(
      "an unlimited SKU keeps its time, so a DELTA older than the NONZERO still applies",
      [
        (.full, 10, ["a=1!"], [1, 0, 0, 0, 0]), (.nonzero, 20, [], [0, 0, 0, 0, 0]),
        (.delta, 15, ["a=2!"], [1, 0, 0, 0, 0]),
      ], ["a=2!@15"]),
  ]

  @Test("stories", arguments: TestEngine.allCases, stories)
  func story(engine: TestEngine, story: Story) async throws {
    let stock = try TemporaryStock(engine)
    for (index, step) in story.steps.enumerated() {
      let outcome = try await stock.apply(step.mode, at: step.time, step.rows)
      let counts = [outcome.applied, outcome.stale, outcome.clamped, outcome.invalid, outcome.zeroed]
      #expect(counts == step.counts, "step \(index + 1)")
    }
    #expect(try await stock.contents() == story.contents)
    await stock.database.close()
  }

  @Test("aggregates don't touch each other", arguments: TestEngine.allCases)
  func aggregates(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    try await stock.apply(.full, "EU", at: 20, ["a=1", "b=1"])
    try await stock.apply(.full, "US", at: 10, ["a=2", "b=2"])
    let outcome = try await stock.apply(.nonzero, "US", at: 15, ["a=3"])
    #expect(outcome.zeroed == 1)
    #expect(try await stock.contents("EU") == ["a=1@20", "b=1@20"])
    #expect(try await stock.contents("US") == ["a=3@15", "b=0@15"])
    #expect(try await stock.contents("eu").isEmpty, "ids are case-sensitive")
    await stock.database.close()
  }

  @Test(
    "SKUs are compared by their bytes: case, blanks and Unicode forms are different SKUs",
    arguments: TestEngine.allCases)
  func bytes(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let skus = ["é", "e\u{301}", "E", "e", " e", "e ", "24-MB01 blue", "Ⅷ"]
    let outcome = try await stock.apply(.full, at: 1, skus.enumerated().map { TestRow($1, Int64($0)) })
    #expect(outcome.applied == skus.count)
    for (index, sku) in skus.enumerated() {
      #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: sku)?.quantity == Int64(index))
    }
    await stock.database.close()
  }

  @Test(
    "clamped and invalid rows are named in the message's order, the first 1 000 of each", arguments: TestEngine.allCases
  )
  func issues(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let rows = (0..<2_400).map { i in
      TestRow("sku \(9_999 - i)", i % 2 == 0 ? -Int64(i) - 1 : nil)
    }
    let outcome = try await stock.apply(.delta, at: 1, rows)
    #expect(outcome.clamped == 1_200)
    #expect(outcome.invalid == 1_200)
    #expect(outcome.clampedRows.map(\.row) == (0..<1_000).map { $0 * 2 })
    #expect(outcome.invalidRows.map(\.row) == (0..<1_000).map { $0 * 2 + 1 })
    #expect(
      outcome.clampedRows[1]
        == RowIssue(
          row: 2, sku: "sku 9997", aggregateId: "EU-WEB", reason: "quantity -3 is negative; applied as 0"))
    await stock.database.close()
  }
}

@Suite("SKUs that no store can keep")
struct UnstorableTests {
  @Test(
    "a SKU with a NUL is an invalid row, and a bad aggregate's id sinks the message", arguments: TestEngine.allCases)
  func nul(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let outcome = try await stock.apply(.nonzero, at: 1, [TestRow("a\u{0}b", 1), TestRow("a\u{0}c", nil), "a=2"])
    #expect(outcome.invalid == 2)
    #expect(try await stock.contents() == ["a=2@1"])
    let error = #expect(throws: SnapshotError.self) { try snapshot(.full, "EU\u{0}", at: 1, ["a=1"]) }
    #expect(error?.field == "snapshot.aggregate_id")
    await stock.database.close()
  }

  @Test("a NONZERO spares what its invalid rows name, whatever is in the names", arguments: TestEngine.allCases)
  func named(engine: TestEngine) async throws {
    let stock = try TemporaryStock(engine)
    let skus = ["\"", "\\", "\u{1}", "[a]", "é", ",", "'"]
    try await stock.apply(.full, at: 1, skus.map { TestRow($0, 5) } + ["left out=5"])
    let outcome = try await stock.apply(.nonzero, at: 2, skus.map { TestRow($0, nil) })
    #expect(outcome.invalid == skus.count)
    #expect(outcome.zeroed == 1)
    for sku in skus { #expect(try await stock.store.stock(aggregateId: "EU-WEB", sku: sku)?.quantity == 5) }
    await stock.database.close()
  }
}
