import Glibc
import TestSupport
import Testing

/// The rule of stock under concurrency: random schedules over several replicas of one store, each compared with the rule.
///
/// SCHEDULES: how many. SCHEDULES_SEED: repeats one, as a failure prints it.
@Suite("Schedules over several replicas")
struct ScheduleTests {
  @Test("every SKU's history is as the rule says, in whatever order messages come", arguments: TestEngine.allCases)
  func histories(engine: TestEngine) async throws {
    let environment = ScheduleSettings()
    if let seed = environment.seed {
      try await ScheduleBatch(engine, seeds: Array(repeating: seed, count: ScheduleBatch.repetitions)).run()
      return
    }
    let seed = UInt64.random(in: 0...UInt64.max)
    let count = engine == .sqlite ? environment.count : max(1, environment.count / ScheduleSettings.perServerSchedule)
    print("ScheduleTests \(engine): \(count) schedules from seed \(seed)")
    var random = SeededGenerator(seed: seed)
    let seeds = (0..<count).map { _ in random.next() }
    let batches = stride(from: 0, to: count, by: ScheduleBatch.size).map { start in
      ScheduleBatch(engine, seeds: Array(seeds[start..<min(count, start + ScheduleBatch.size)]))
    }
    let queue = BatchQueue(batches)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<ScheduleBatch.atOnce {
        group.addTask {
          while let batch = queue.next() {
            if try await !batch.run() { queue.stop() }
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("a flaw in the rule or in the store is found, and told by a few steps", arguments: Flaw.allCases)
  func flaws(flaw: Flaw) async throws {
    let fleet = try Fleet(.sqlite, replicas: ScheduleBatch.replicas)
    var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
    for _ in 0..<500 {
      let schedule = Schedule(seed: random.next(), replicas: ScheduleBatch.replicas, concurrency: 0)
      if try await ScheduleBatch.findings(schedule, on: fleet, flaw: flaw).isEmpty { continue }
      let shortest = try await schedule.shrunk { try await !ScheduleBatch.findings($0, on: fleet, flaw: flaw).isEmpty }
      #expect(shortest.steps <= 6, "\(flaw):\n\(shortest)")
      await fleet.close()
      return
    }
    await fleet.close()
    Issue.record("500 schedules and none finds \(flaw)")
  }

  @Test("replicas that don't wait for each other are found")
  func noTurns() async throws {
    let fleet = try Fleet(.postgresql, replicas: ScheduleBatch.replicas, takesTurns: false)
    var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
    for _ in 0..<500 {
      let schedule = Schedule(seed: random.next(), replicas: ScheduleBatch.replicas, concurrency: 100)
      if try await ScheduleBatch.findings(schedule, on: fleet).isEmpty { continue }
      await fleet.close()
      return
    }
    await fleet.close()
    Issue.record("500 schedules and none finds that two write an aggregate at the same time")
  }

  @Test("a seed makes one schedule")
  func repeatable() {
    func text(_ seed: UInt64) -> String { "\(Schedule(seed: seed, replicas: 3, concurrency: 50))" }
    #expect(text(1) == text(1))
    #expect(text(1) != text(2))
  }
}

/// What the environment asks for.
struct ScheduleSettings {
  /// Schedules on SQLite for each on PostgreSQL, where all are concurrent and each takes longer.
  static let perServerSchedule = 20

  let count: Int
  let seed: UInt64?

  init() {
    count = getenv("SCHEDULES").flatMap { Int(String(cString: $0)) } ?? 2_000
    seed = getenv("SCHEDULES_SEED").flatMap { UInt64(String(cString: $0)) }
  }
}
