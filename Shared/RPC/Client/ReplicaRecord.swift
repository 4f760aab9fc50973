/// What one loop has seen of one replica: what `OutlierDetector` judges by.
struct ReplicaRecord: Equatable {
  /// Calls of the current interval.
  fileprivate(set) var successes = 0
  fileprivate(set) var failures = 0
  fileprivate(set) var failuresInARow = 0
  /// By how much longer than the first time it is left alone: up with every ejection, down with every interval without.
  fileprivate(set) var ejections = 0
  /// Until when it is left alone, in monotonic nanoseconds.
  fileprivate(set) var ejectedUntil: UInt64?

  var isEjected: Bool { ejectedUntil != nil }

  /// Nothing is known that a later judgement would need.
  var isBlank: Bool { self == ReplicaRecord() }

  @inline(__always) mutating func succeeded() {
    successes &+= 1
    failuresInARow = 0
  }

  mutating func failed() {
    failures &+= 1
    failuresInARow &+= 1
  }
}

/// Decides which replicas are left alone, and for how long. Holds neither clock nor replicas: the caller brings both.
struct OutlierDetector {
  let policy: OutlierPolicy
  /// When the current interval ends; nil while there is nothing to judge.
  private(set) var intervalEnd: UInt64?

  init(_ policy: OutlierPolicy) { self.policy = policy }

  /// When to call `judge` next; nil for not before something has failed.
  func nextJudgement(_ records: [ReplicaRecord]) -> UInt64? {
    (records.compactMap(\.ejectedUntil) + [intervalEnd].compactMap { $0 }).min()
  }

  /// A replica has failed: to be called for each failure, once its record has it.
  /// - Returns: whether it is left alone from now on.
  mutating func failureRecorded(at index: Int, in records: inout [ReplicaRecord], now: UInt64) -> Bool {
    if intervalEnd == nil {
      // What went well before is not of this interval.
      for index in records.indices { records[index].successes = 0 }
      intervalEnd = now &+ policy.interval.nanoseconds
    }
    guard policy.consecutiveFailures > 0, records[index].failuresInARow >= policy.consecutiveFailures else {
      return false
    }
    return eject(index, &records, now)
  }

  /// Time has passed: brings back who has been away long enough, and judges the interval if it is over.
  mutating func judge(_ records: inout [ReplicaRecord], now: UInt64) {
    for index in records.indices {
      guard let until = records[index].ejectedUntil, until <= now else { continue }
      records[index].ejectedUntil = nil
      // Judged by what it does from now on.
      records[index].failuresInARow = 0
      records[index].successes = 0
      records[index].failures = 0
    }
    guard let end = intervalEnd, end <= now else { return }
    for index in records.indices where !records[index].isEjected {
      if isFailing(records[index]) {
        _ = eject(index, &records, now)
      } else if records[index].ejections > 0 {
        records[index].ejections -= 1
      }
    }
    let isQuiet = records.allSatisfy { $0.failures == 0 && $0.ejections == 0 && !$0.isEjected }
    intervalEnd = isQuiet ? nil : now &+ policy.interval.nanoseconds
    for index in records.indices {
      records[index].successes = 0
      records[index].failures = 0
    }
  }

  private func isFailing(_ record: ReplicaRecord) -> Bool {
    let calls = record.successes + record.failures
    return calls >= max(policy.requestVolume, 1) && record.failures * 100 >= calls * policy.failurePercentage
  }

  private func eject(_ index: Int, _ records: inout [ReplicaRecord], _ now: UInt64) -> Bool {
    guard !records[index].isEjected else { return false }
    let ejected = records.count(where: \.isEjected) + 1
    // One more than the percentage allows is one too many, and the last one stays whatever it does.
    guard ejected < records.count, ejected * 100 <= records.count * policy.ejectionPercentage else { return false }
    records[index].ejections += 1
    let time = policy.baseEjection.nanoseconds.multipliedReportingOverflow(by: UInt64(records[index].ejections))
    let longest = policy.longestEjection.nanoseconds
    records[index].ejectedUntil = now &+ (time.overflow ? longest : min(time.partialValue, longest))
    return true
  }
}
