import EventLoop
import TestSupport
import Testing

/// Schedules that share a store, so as not to make one for each.
struct ScheduleBatch: Sendable {
  static let size = 200
  static let atOnce = 2
  static let replicas = 3
  /// How often one is run that may come out in several ways.
  static let repetitions = 20

  private let engine: TestEngine
  private let seeds: [UInt64]

  init(_ engine: TestEngine, seeds: [UInt64]) { (self.engine, self.seeds) = (engine, seeds) }

  /// Of a hundred schedules, so many let steps run at the same time. One after the other they are repeatable.
  private var concurrency: Int { engine == .sqlite ? 10 : 100 }

  /// - Returns: false when one failed; it is told.
  @discardableResult
  func run() async throws -> Bool {
    let fleet = try Fleet(engine, replicas: Self.replicas)
    for seed in seeds {
      let schedule = Schedule(seed: seed, replicas: Self.replicas, concurrency: concurrency)
      let findings = try await Self.findings(schedule, on: fleet)
      if findings.isEmpty { continue }
      Issue.record("\(try await report(schedule, findings, fleet))")
      await fleet.close()
      return false
    }
    await fleet.close()
    return true
  }

  static func findings(_ schedule: Schedule, on fleet: Fleet, flaw: Flaw? = nil) async throws -> [String] {
    var run = ScheduleRun(schedule, on: fleet, flaw: flaw)
    try await run.run()
    return run.findings
  }

  private func report(_ schedule: Schedule, _ first: [String], _ fleet: Fleet) async throws -> String {
    var findings = first
    var stored: [String: StoredAggregate] = [:]
    let shortest = try await schedule.shrunk { smaller in
      for _ in 0..<(smaller.isConcurrent ? Self.repetitions : 1) {
        var run = ScheduleRun(smaller, on: fleet)
        try await run.run()
        if run.findings.isEmpty { continue }
        (findings, stored) = (run.findings, run.stored)
        return true
      }
      return false
    }
    let histories = stored.sorted { $0.key < $1.key }.map { aggregate, stored in
      let changes = stored.history.sorted { $0.key < $1.key }.flatMap(\.value)
      return "the store's history of \(aggregate):\n\(StoredComparison.lines(changes))"
    }
    return """
      a schedule on \(engine) fails: SCHEDULES_SEED=\(schedule.seed); \(shortest.steps) of its \(schedule.steps) steps:
      \(shortest)
      \(findings.joined(separator: "\n"))
      \(histories.joined(separator: "\n"))
      """
  }
}

/// Batches that are still to be run.
final class BatchQueue: Sendable {
  private let batches: Lock<ArraySlice<ScheduleBatch>>

  init(_ batches: [ScheduleBatch]) { self.batches = Lock(batches[...]) }

  func next() -> ScheduleBatch? { batches.withLock { $0.popFirst() } }

  /// One has failed.
  func stop() { batches.withLock { $0 = [] } }
}
