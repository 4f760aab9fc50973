import TestSupport
import Testing

@testable import Inventory

/// The rule once more, as plainly as it can be said: what the store is compared with.
private struct StockModel {
  struct Entry: Equatable {
    var quantity: Int64
    var unlimited: Bool
    var time: Int64
    var byNonzero: Bool
  }

  /// The last NONZERO of an aggregate.
  struct Run {
    var time: Int64
    var isOpen: Bool
  }

  var entries: [String: [String: Entry]] = [:]
  var runs: [String: Run] = [:]
  /// What bad rows name, by aggregate and time.
  var spared: [String: [Int64: Set<String>]] = [:]

  private static func zero(_ stock: inout [String: Entry], _ time: Int64, _ spared: Set<String>) -> Int {
    var zeroed = 0
    for (sku, old) in stock where !spared.contains(sku) && !old.unlimited && old.time <= time {
      if old.byNonzero && old.time == time { continue }
      stock[sku] = Entry(quantity: 0, unlimited: false, time: time, byNonzero: true)
      zeroed += 1
    }
    return zeroed
  }

  mutating func apply(_ mode: SnapshotMode, _ aggregate: String, _ time: Int64, _ rows: [TestRow]) -> [Int] {
    var stock = entries[aggregate] ?? [:]
    var (applied, stale, clamped, invalid, zeroed) = (0, 0, 0, 0, 0)
    if mode != .delta, let run = runs[aggregate], run.isOpen, run.time < time {
      zeroed += Self.zero(&stock, run.time, spared[aggregate]?[run.time] ?? [])
      runs[aggregate]?.isOpen = false
    }
    for row in rows {
      guard let quantity = row.quantity, !row.sku.isEmpty else {
        invalid += 1
        continue
      }
      let old = stock[row.sku]
      if let old, old.time > time {
        stale += 1
        continue
      }
      let isNamed = old.map { $0.time == time && $0.byNonzero } ?? false
      stock[row.sku] = Entry(
        quantity: max(quantity, 0), unlimited: row.unlimited, time: time, byNonzero: isNamed || mode == .nonzero)
      if quantity < 0 { clamped += 1 } else { applied += 1 }
    }
    if mode == .nonzero {
      let named = rows.filter { $0.quantity == nil && !$0.sku.isEmpty }.map(\.sku)
      let spared = (spared[aggregate]?[time] ?? []).union(named)
      self.spared[aggregate, default: [:]][time] = spared
      switch runs[aggregate] {
      case let run? where run.time > time:
        if !run.isOpen { zeroed += Self.zero(&stock, time, spared) }
      case let run? where run.time == time: runs[aggregate]?.isOpen = true
      default:
        zeroed += Self.zero(&stock, time, spared)
        runs[aggregate] = Run(time: time, isOpen: false)
      }
    }
    entries[aggregate] = stock
    return [applied, stale, clamped, invalid, zeroed]
  }

  func contents(_ aggregate: String) -> [String] {
    (entries[aggregate] ?? [:]).sorted { $0.key < $1.key }.map { sku, entry in
      "\(sku)=\(entry.quantity)\(entry.unlimited ? "!" : "")@\(entry.time)"
    }
  }
}

@Suite("The store against a model")
struct StockModelTests {
  @Test(
    "any sequence of snapshots leaves the store as it leaves the model, and counts alike",
    arguments: TestEngine.allCases)
  func randomSequences(engine: TestEngine) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("StockModelTests seed \(seed)")
    var random = SeededGenerator(seed: seed)
    for round in 0..<40 {
      let stock = try TemporaryStock(engine)
      var model = StockModel()
      for step in 0..<40 {
        let aggregate = ["EU", "US"].randomElement(using: &random)!
        let mode = SnapshotMode.allCases.randomElement(using: &random)!
        // Few times and SKUs, so that equal times, parts and overwrites are common.
        let time = Int64.random(in: 1...6, using: &random)
        let rows = (0..<Int.random(in: 0...6, using: &random)).map { _ in
          TestRow(
            ["", "a", "b", "c", "d", "e", "f", "g"].randomElement(using: &random)!,
            [nil, -1, 0, 1, 2, 3, 4, 5].randomElement(using: &random)!,
            unlimited: Int.random(in: 0..<5, using: &random) == 0)
        }
        let outcome = try await stock.apply(mode, aggregate, at: time, rows)
        let counts = [outcome.applied, outcome.stale, outcome.clamped, outcome.invalid, outcome.zeroed]
        let expected = model.apply(mode, aggregate, time, rows)
        let place = "seed \(seed), round \(round), step \(step): \(mode) \(aggregate) @\(time) \(rows)"
        #expect(counts == expected, "\(place)")
        #expect(counts.dropLast().reduce(0, +) == rows.count, "\(place)")
        #expect(try await stock.contents(aggregate) == model.contents(aggregate), "\(place)")
      }
      await stock.database.close()
    }
  }

  /// What wins must not depend on the order of arrival: messages are retried and replicas race.
  @Test(
    "newer messages win in whatever order they come, concurrently over two connections", arguments: TestEngine.allCases)
  func anyOrder(engine: TestEngine) async throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("StockModelTests seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let stock = try TemporaryStock(engine)
    let other = try TemporaryStock.another(stock)
    let messages = (1...200).map { time in
      (time: Int64(time), sku: "sku \(Int.random(in: 0..<20, using: &random))")
    }
    let shuffled = messages.shuffled(using: &random)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, message) in shuffled.enumerated() {
        let store = index % 2 == 0 ? stock.store : other
        group.addTask {
          let row = TestRow(message.sku, message.time)
          _ = try await store.enqueue(snapshot(.delta, at: message.time, [row])).value()
        }
      }
      try await group.waitForAll()
    }
    var newest: [String: Int64] = [:]
    for message in messages { newest[message.sku] = message.time }
    #expect(
      try await stock.contents() == newest.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)@\($0.value)" },
      "seed \(seed)")
    await other.database.close()
    await stock.database.close()
  }
}
