import Testing

@testable import RPC

/// Which replicas are left alone, on invented time.
@Suite struct OutlierDetectorTests {
  private static let second: UInt64 = 1_000_000_000

  /// Replicas without a network.
  private struct Replicas {
    var detector: OutlierDetector
    var records: [ReplicaRecord]

    init(_ count: Int, _ change: (inout OutlierPolicy) -> Void = { _ in }) {
      var policy = OutlierPolicy()
      policy.consecutiveFailures = 5
      policy.interval = .seconds(10)
      policy.failurePercentage = 50
      policy.requestVolume = 10
      policy.baseEjection = .seconds(30)
      policy.longestEjection = .seconds(100)
      policy.ejectionPercentage = 50
      change(&policy)
      detector = OutlierDetector(policy)
      records = Array(repeating: ReplicaRecord(), count: count)
    }

    /// In seconds.
    mutating func fail(_ index: Int, times: Int = 1, at now: UInt64 = 0) {
      for _ in 0..<times {
        records[index].failed()
        _ = detector.failureRecorded(at: index, in: &records, now: now * second)
      }
    }

    mutating func succeed(_ index: Int, times: Int = 1) {
      for _ in 0..<times { records[index].succeeded() }
    }

    mutating func judge(at now: UInt64) { detector.judge(&records, now: now * second) }

    var ejected: [Int] { records.indices.filter { records[$0].isEjected } }
    var next: UInt64? { detector.nextJudgement(records).map { $0 / second } }
  }

  @Test("as many failures in a row as the policy says, and not one fewer")
  func consecutive() {
    var replicas = Replicas(3)
    replicas.fail(1, times: 4)
    replicas.succeed(1)
    replicas.fail(1, times: 4)
    #expect(replicas.ejected == [])
    replicas.fail(1)
    #expect(replicas.ejected == [1])
  }

  @Test("a replica comes back after its time, which grows each time up to the longest")
  func times() {
    var replicas = Replicas(2)
    var now: UInt64 = 0
    for seconds in [30, 60, 90, 100, 100] as [UInt64] {
      replicas.fail(0, times: 5, at: now)
      #expect(replicas.ejected == [0])
      replicas.judge(at: now + seconds - 1)
      #expect(replicas.ejected == [0], "not before \(seconds) s")
      now += seconds
      replicas.judge(at: now)
      #expect(replicas.ejected == [])
    }
  }

  @Test("a replica that has come back is judged by what it does from then on")
  func blankAfterwards() {
    var replicas = Replicas(2)
    replicas.fail(0, times: 5)
    // Calls that were under way when it was left alone.
    replicas.fail(0, times: 3, at: 1)
    replicas.judge(at: 30)
    replicas.fail(0, times: 4, at: 31)
    #expect(replicas.ejected == [])
  }

  @Test("each interval without an ejection makes the next one shorter again")
  func forgiveness() {
    var replicas = Replicas(2)
    replicas.fail(0, times: 5)
    replicas.judge(at: 30)
    replicas.judge(at: 40)
    #expect(replicas.ejected == [])
    replicas.fail(0, times: 5, at: 41)
    replicas.judge(at: 41 + 30)
    #expect(replicas.ejected == [], "30 s as the first time, not 60")
  }

  @Test(
    "at most half of them at a time, and one stays in any case", arguments: [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
  func half(count: Int, most: Int) {
    var replicas = Replicas(count)
    for index in 0..<count { replicas.fail(index, times: 50) }
    #expect(replicas.ejected == Array(0..<most))
  }

  @Test("one stays even if the policy lets all of them go")
  func oneStays() {
    var replicas = Replicas(3) { $0.ejectionPercentage = 100 }
    for index in 0..<3 { replicas.fail(index, times: 50) }
    #expect(replicas.ejected == [0, 1])
  }

  @Test(
    "a rate of failures counts at the end of an interval with enough calls",
    arguments: [(5, 5, true), (6, 4, false), (4, 5, false), (50, 49, false), (50, 50, true), (0, 9, false)])
  func rate(successes: Int, failures: Int, isEjected: Bool) {
    var replicas = Replicas(3) { $0.consecutiveFailures = 0 }
    replicas.fail(0)
    replicas.succeed(0, times: successes)
    replicas.fail(0, times: failures - 1)
    replicas.judge(at: 9)
    #expect(replicas.ejected == [])
    replicas.judge(at: 10)
    #expect(replicas.ejected == (isEjected ? [0] : []))
  }

  @Test("what went well before the first failure does not thin an interval's rate")
  func rateOfThisInterval() {
    var replicas = Replicas(3) { $0.consecutiveFailures = 0 }
    replicas.succeed(0, times: 1_000_000)
    replicas.fail(0, times: 10)
    replicas.judge(at: 10)
    #expect(replicas.ejected == [0])
  }

  @Test("without failures there is nothing to judge, and after them until they are forgotten")
  func quiet() {
    var replicas = Replicas(3)
    replicas.succeed(0, times: 100)
    #expect(replicas.next == nil)
    replicas.fail(0, at: 3)
    #expect(replicas.next == 13)
    replicas.judge(at: 13)
    #expect(replicas.next == 23)
    replicas.judge(at: 23)
    #expect(replicas.next == nil)
    replicas.fail(0, times: 5, at: 30)
    #expect(replicas.next == 40)
    replicas.judge(at: 40)
    replicas.judge(at: 50)
    #expect(replicas.next == 60, "comes back then")
  }

  @Test("a policy that says never, never does")
  func never() {
    var replicas = Replicas(3) { $0 = .never }
    replicas.fail(0, times: 1000)
    replicas.judge(at: 10)
    #expect(replicas.ejected == [])
  }
}
