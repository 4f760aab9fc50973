/// Calls that wait for a store's thread, first come, first served, bounded in number and weight.
@usableFromInline final class JobQueue: Sendable {
  private struct State {
    var jobs: [Job] = []
    var weight = 0
    var isClosed = false
    /// What the thread gathers; it is not to be woken before, as each time costs two switches of threads.
    var gathering: (count: Int, weight: Int)?

    var isEnough: Bool {
      guard let gathering else { return true }
      return jobs.count >= gathering.count || weight >= gathering.weight || isClosed
    }
  }

  private let state = Monitor(State())
  /// For threads that pause. Not `state`: the signal of a new job would wake one of them in the place of one that has time.
  private let isClosed = Monitor(false)
  private let what: String
  private let maximumCount: Int
  private let maximumWeight: Int

  init(what: String, maximumCount: Int, maximumWeight: Int = .max) {
    self.what = what
    self.maximumCount = maximumCount
    self.maximumWeight = maximumWeight
  }

  /// - Throws: `overloaded` when the queue is full, `closed` after ``close()``.
  @usableFromInline func add(_ job: Job) throws(StorageError) {
    let wakes = try state.withLock { state throws(StorageError) in
      if state.isClosed { throw StorageError(.closed, "the store is closed", remedy: "send it to another replica") }
      // One job is always let in, however heavy: else it could never be.
      let isFull = state.jobs.count >= maximumCount || state.weight > 0 && job.weight > maximumWeight - state.weight
      if isFull {
        throw StorageError(
          .overloaded, "\(state.jobs.count) \(what) of weight \(state.weight) wait for the store already",
          remedy: "send fewer at a time, and this one again later")
      }
      state.jobs.append(job)
      state.weight += job.weight
      return state.isEnough
    }
    if wakes { state.signal() }
  }

  /// Waits for jobs and takes the oldest: at least one, then as many as keep to both limits.
  ///
  /// - Returns: nil when the queue is closed and empty.
  func take(maximumCount: Int, maximumWeight: Int) -> [Job]? {
    state.wait { state -> [Job]?? in
      if state.jobs.isEmpty { return state.isClosed ? .some(nil) : nil }
      return Self.take(&state, maximumCount, maximumWeight, atLeast: 1)
    }
  }

  /// Takes the oldest of the jobs that wait, as many as keep to both limits. Does not wait.
  func takeMore(maximumCount: Int, maximumWeight: Int) -> [Job] {
    state.withLock { Self.take(&$0, maximumCount, maximumWeight, atLeast: 0) }
  }

  private static func take(
    _ state: inout State, _ maximumCount: Int, _ maximumWeight: Int, atLeast minimumCount: Int
  ) -> [Job] {
    var count = 0
    var weight = 0
    for job in state.jobs.prefix(maximumCount) {
      if count >= minimumCount && job.weight > maximumWeight - weight { break }
      count += 1
      weight += job.weight
    }
    let taken = Array(state.jobs.prefix(count))
    state.jobs.removeFirst(count)
    state.weight -= weight
    return taken
  }

  /// Jobs that wait.
  var count: Int { state.withLock { $0.jobs.count } }

  /// Waits until `count` jobs wait, or jobs of `weight` together, or the queue is closed; for at most `nanoseconds`.
  func gather(count: Int, weight: Int, nanoseconds: UInt64) {
    state.withLock { $0.gathering = (count, weight) }
    state.wait(nanoseconds: nanoseconds) { $0.isEnough }
    state.withLock { $0.gathering = nil }
  }

  /// Waits for the time, or until the queue is closed.
  ///
  /// - Returns: false when it is closed.
  func pause(nanoseconds: UInt64) -> Bool {
    isClosed.wait(nanoseconds: nanoseconds) { $0 }
    return !isClosed.withLock { $0 }
  }

  /// Refuses new jobs; those that wait are still taken.
  func close() {
    state.withLock { $0.isClosed = true }
    state.broadcast()
    isClosed.withLock { $0 = true }
    isClosed.broadcast()
  }
}
