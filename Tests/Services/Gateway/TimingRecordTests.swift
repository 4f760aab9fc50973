import EventLoop
import Messages
import ServiceKit
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite(.serialized) struct TimingRecordTests {
  private let start = WallTime(seconds: 472_222 * 3600)

  private func entry(_ name: String, _ microseconds: [UInt64]) -> Timings.Entry {
    Timings.Entry(kind: .busMethod, endpoint: name, histogram: histogram(microseconds))
  }

  private func histogram(_ microseconds: [UInt64]) -> Histogram {
    var histogram = Histogram()
    for value in microseconds { histogram.record(microseconds: value, failed: value % 10 == 3) }
    return histogram
  }

  /// `service name @hour: histogram`, the hour counted from the start.
  private func report(_ record: TimingRecord) async -> [String: Histogram] {
    var report: [String: Histogram] = [:]
    for (endpoint, hours) in await record.hours(kind: nil, since: nil) {
      for (hour, histogram) in hours {
        report["\(endpoint.service) \(endpoint.name) @\((hour.seconds - start.seconds) / 3600)"] = histogram
      }
    }
    return report
  }

  private func restarted(
    _ store: TemporaryGatewayStore, limits: TimingHistory.Limits = .init(), now: WallTime
  ) async throws -> TimingRecord {
    let record = TimingRecord(TimingStore(try store.open()), limits: limits, now: now)
    await record.load(now: now)
    return record
  }

  @Test(
    "a restart shows the same, counts nothing twice, and misses nothing that was counted meanwhile",
    arguments: TestEngine.allCases)
  func restart(engine: TestEngine) async throws {
    let store = try TemporaryGatewayStore(engine)
    let first = try await restarted(store, now: start)
    await first.add(service: "gateway", instance: "g1", entries: [entry("own", [3, 4])], now: start)
    await first.add(service: "sales", instance: "a", entries: [entry("m", [5, 70])], now: start)
    await first.add(service: "sales", instance: "a", entries: [entry("m", [5, 70, 9])], now: start + .seconds(3600))
    await first.save(now: start + .seconds(3600))
    let before = await report(first)
    #expect(before.keys.sorted() == ["gateway own @0", "sales m @0", "sales m @1"])

    let second = try await restarted(store, now: start + .seconds(7200))
    #expect(await report(second) == before)
    await second.add(service: "gateway", instance: "g2", entries: [entry("own", [8])], now: start + .seconds(7200))
    await second.add(
      service: "sales", instance: "a", entries: [entry("m", [5, 70, 9, 1000])], now: start + .seconds(7200))
    let after = await report(second)
    #expect(after["sales m @2"] == histogram([1000]) && after["gateway own @2"] == histogram([8]))
    #expect(after.count == before.count + 2 && before.allSatisfy { after[$0] == $1 })
  }

  @Test("a restart within the hour goes on in that hour", arguments: TestEngine.allCases)
  func sameHour(engine: TestEngine) async throws {
    let store = try TemporaryGatewayStore(engine)
    let first = try await restarted(store, now: start)
    await first.add(service: "sales", instance: "a", entries: [entry("m", [5])], now: start)
    await first.save(now: start)
    let second = try await restarted(store, now: start + .seconds(60))
    await second.add(service: "sales", instance: "a", entries: [entry("m", [5, 6])], now: start + .seconds(60))
    #expect(await report(second) == ["sales m @0": histogram([5, 6])])
    await second.save(now: start + .seconds(60))
    #expect(await report(try await restarted(store, now: start + .seconds(90))) == ["sales m @0": histogram([5, 6])])
  }

  @Test(
    "a clock that was set back before a restart loses no hour, and a later one finds its way back into it",
    arguments: TestEngine.allCases)
  func clockSetBack(engine: TestEngine) async throws {
    let store = try TemporaryGatewayStore(engine)
    let first = try await restarted(store, now: start + .seconds(7200))
    await first.add(service: "sales", instance: "a", entries: [entry("m", [5])], now: start + .seconds(7200))
    await first.save(now: start + .seconds(7200))
    let second = try await restarted(store, now: start)
    await second.add(service: "sales", instance: "a", entries: [entry("m", [5, 6])], now: start)
    await second.add(service: "sales", instance: "a", entries: [entry("m", [5, 6, 7])], now: start + .seconds(7200))
    let expected = ["sales m @0": histogram([6]), "sales m @2": histogram([5, 7])]
    #expect(await report(second) == expected)
    await second.save(now: start + .seconds(7200))
    #expect(await report(try await restarted(store, now: start + .seconds(7200))) == expected)
  }

  @Test(
    "processes that come and go, a gateway that is killed at any time: what living processes count is counted once",
    arguments: TestEngine.allCases, 0..<10 as Range<UInt64>)
  func model(engine: TestEngine, seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let store = try TemporaryGatewayStore(engine)
    var record = try await restarted(store, now: start)
    var calls: [[UInt64]] = [[], [], []]
    var now = start
    for _ in 0..<100 {
      now = now + .seconds(Int.random(in: 0...600, using: &random))
      let asked = Int.random(in: 0..<3, using: &random)
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        calls[asked].append(UInt64.random(in: 0...100_000, using: &random))
      }
      switch Int.random(in: 0..<6, using: &random) {
      case 0: record = try await restarted(store, now: now)
      case 1, 2: await record.save(now: now)
      default: await record.add(service: "sales", instance: "\(asked)", entries: [entry("m", calls[asked])], now: now)
      }
    }
    for replica in 0..<3 {
      await record.add(service: "sales", instance: "\(replica)", entries: [entry("m", calls[replica])], now: now)
    }
    #expect(await total(record) == histogram(calls.flatMap(\.self)))
    await record.save(now: now)
    #expect(await total(try await restarted(store, now: now)) == histogram(calls.flatMap(\.self)))
  }

  private func total(_ record: TimingRecord) async -> Histogram {
    await report(record).values.reduce(into: Histogram()) { $0.merge($1) }
  }

  @Test(
    "nothing is written when nothing has changed, and many rows are written in several transactions",
    arguments: TestEngine.allCases)
  func transactions(engine: TestEngine) async throws {
    let store = try TemporaryGatewayStore(engine)
    let database = try store.open()
    let record = TimingRecord(TimingStore(database), limits: .init(), now: start)
    let entries = (0..<900).map { entry("m\($0)", [1]) }
    await record.add(service: "sales", instance: "a", entries: entries, now: start)
    let before = database.commits
    await record.save(now: start)
    let after = database.commits
    // An hour's and a counter's row for each endpoint; the last transaction looks for hours that are too old.
    #expect(after - before == 5)
    #expect(try await database.number("SELECT count(*) FROM timing_counter") == 900)
    for _ in 0..<3 { await record.save(now: start + .seconds(5)) }
    #expect(database.commits == after)
  }

  @Test("60 days are kept in the store as well, however long the gateway was away", arguments: TestEngine.allCases)
  func oldHours(engine: TestEngine) async throws {
    let store = try TemporaryGatewayStore(engine)
    let database = try store.open()
    let limits = TimingHistory.Limits(hours: 10)
    let record = TimingRecord(TimingStore(database), limits: limits, now: start)
    var calls: [UInt64] = []
    for hour in 0..<30 {
      calls.append(1)
      await record.add(
        service: "sales", instance: "a", entries: [entry("m", calls)], now: start + .seconds(hour * 3600))
      await record.save(now: start + .seconds(hour * 3600))
    }
    #expect(try await database.number("SELECT count(*) FROM timing_hour") == 10)
    let later = start + .seconds(3600 * 10_000)
    await (try restarted(store, limits: limits, now: later)).save(now: later)
    #expect(try await database.number("SELECT count(*) FROM timing_hour") == 0)
  }

  @Test(
    "endpoints, processes, counters and histograms are bounded in the store, and nothing is counted twice for it",
    arguments: TestEngine.allCases)
  func bounds(engine: TestEngine) async throws {
    let store = try TemporaryGatewayStore(engine)
    let limits = TimingHistory.Limits(endpoints: 3, instances: 5, counters: 12, histograms: 8)
    var record = try await restarted(store, limits: limits, now: start)
    for round in 1...3 {
      let entries = (0..<10).map { entry("m\($0)", .init(repeating: 1, count: round)) }
      await record.add(service: "sales", instance: "a", entries: entries, now: start)
      await record.save(now: start)
      record = try await restarted(store, limits: limits, now: start)
    }
    #expect(await total(record).count == 30)
    for instance in 0..<50 {
      let now = start + .seconds(3600 * (instance + 1))
      await record.add(service: "sales", instance: "i\(instance)", entries: [entry("m0", [1])], now: now)
      await record.save(now: now)
    }
    let database = try store.open()
    #expect(try await database.number("SELECT count(*) FROM timing_counter") == 5)
    #expect(try await database.number("SELECT count(*) FROM timing_hour") <= 9)
    let reloaded = try await restarted(store, limits: limits, now: start + .seconds(3600 * 50))
    #expect(await report(reloaded) == report(record))
  }

  /// Fails for as long as it is told to.
  private final class FailingStorage: TimingStorage {
    let isDown = Lock(true)
    let store: TimingStore

    init(_ store: TimingStore) { self.store = store }

    private func check() throws {
      if isDown.withLock({ $0 }) { throw StorageError(.full, "store is full") }
    }

    func load(limit: Int) async throws -> TimingHistory.Saved {
      try check()
      return try await store.load(limit: limit)
    }

    func save(_ changes: TimingHistory.Changes) async throws {
      try check()
      try await store.save(changes)
    }

    func dropHour(before hour: Int64) async throws -> Bool {
      try check()
      return try await store.dropHour(before: hour)
    }
  }

  @Test("a store that can't be read or written for a while costs nothing but the hour", arguments: TestEngine.allCases)
  func unavailable(engine: TestEngine) async throws {
    let temporary = try TemporaryGatewayStore(engine)
    let first = try await restarted(temporary, now: start)
    await first.add(service: "sales", instance: "a", entries: [entry("m", [5])], now: start)
    await first.save(now: start)

    let storage = FailingStorage(TimingStore(try temporary.open()))
    let second = TimingRecord(storage, now: start)
    await second.load(now: start)
    await second.add(service: "sales", instance: "a", entries: [entry("m", [5, 6])], now: start)
    await second.save(now: start)
    #expect(await total(second).count == 2, "it does not know yet that one of them was counted before")
    storage.isDown.withLock { $0 = false }
    await second.save(now: start)
    #expect(await report(second) == ["sales m @0": histogram([5, 6])])

    storage.isDown.withLock { $0 = true }
    await second.add(service: "sales", instance: "a", entries: [entry("m", [5, 6, 7])], now: start + .seconds(3600))
    await second.save(now: start + .seconds(3600))
    await second.add(service: "sales", instance: "a", entries: [entry("m", [5, 6, 7, 8])], now: start + .seconds(7200))
    storage.isDown.withLock { $0 = false }
    await second.save(now: start + .seconds(7200))
    let expected = ["sales m @0": histogram([5, 6]), "sales m @1": histogram([7]), "sales m @2": histogram([8])]
    #expect(await report(try await restarted(temporary, now: start + .seconds(7200))) == expected)
    #expect(await second.totals.values.map(\.count) == [4])
  }
}
