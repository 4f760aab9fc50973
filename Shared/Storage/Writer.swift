import EventLoop

/// The thread that writes. All calls that wait when it comes round share one transaction and so one flush of the disk.
///
/// Unchecked: nothing but that thread uses the connection once it runs.
struct Writer: @unchecked Sendable {
  let connection: Connection
  let queue: JobQueue
  let options: DatabaseOptions
  let counters: Counters

  /// Works until the queue is closed and empty.
  func run() {
    while let batch = queue.take(
      maximumCount: options.maximumBatchCount, maximumWeight: options.maximumBatchWeight)
    {
      let start = EventLoop.monotonicNanoseconds()
      commit(connection.ordered(batch))
      let duration = EventLoop.monotonicNanoseconds() - start
      let callers = batch.count + queue.count
      for job in batch { job.finish() }
      connection.tidyUp()
      gather(callers, commitNanoseconds: duration)
      if queue.count > 0 { connection.stepBack() }
    }
  }

  /// Callers that have their answer often come again at once. The first of them must not get a commit to itself while the
  /// others are on their way: with n callers that would be two commits for n writes instead of one. So the next commit
  /// waits until as many are there as were, for at most half the time that a commit takes.
  private func gather(_ callers: Int, commitNanoseconds: UInt64) {
    if callers <= 1 { return }
    queue.gather(
      count: min(callers, options.maximumBatchCount), weight: options.maximumBatchWeight,
      nanoseconds: min(commitNanoseconds / 2, Self.maximumGatherNanoseconds))
  }

  /// Who closes the store does not wait for a server that is away, but a lost connection is made anew.
  static let attemptsWhenClosing = 3

  private static let maximumGatherNanoseconds: UInt64 = 2_000_000

  private func commit(_ batch: [Job]) {
    var attempt = 0
    while true {
      attempt += 1
      do throws(StorageError) {
        if try commitOnce(batch) { counters.commits.add(1, ordering: .relaxed) }
        return
      } catch {
        // Nothing of the batch is durable, and nobody may believe that it was.
        connection.rollBack()
        guard let pause = connection.pauseBeforeRetry(after: error, attempt: attempt),
          queue.pause(nanoseconds: pause) || attempt < Self.attemptsWhenClosing
        else {
          for job in batch { job.fail(error) }
          return
        }
      }
    }
  }

  /// - Returns: whether there was anything to commit.
  /// - Throws: what concerns all jobs alike; what a body throws is kept in its job.
  private func commitOnce(_ batch: [Job]) throws(StorageError) -> Bool {
    try connection.beginWriting(batch)
    if try !runAll(batch) {
      connection.rollBack()
      if batch.count == 1 { return false }
      // A savepoint lets one body fail alone, but costs as much as a small write: only now is it worth it.
      try connection.beginWriting(batch)
      for job in batch { try runInSavepoint(job) }
    }
    try connection.commit()
    return true
  }

  /// - Returns: false when a body has failed; those behind it were not run then.
  private func runAll(_ batch: [Job]) throws(StorageError) -> Bool {
    for job in batch where try !run(job) { return false }
    return true
  }

  /// - Returns: whether its changes are to be committed.
  private func run(_ job: Job) throws(StorageError) -> Bool {
    let isGood = job.run(connection) == nil
    guard let failure = connection.failure else { return isGood }
    // A full disk, an I/O error or a lost connection takes the whole transaction with it, other jobs' changes included.
    if connection.endsTransaction(failure) { throw failure }
    if isGood { job.fail(failure) }
    return false
  }

  private func runInSavepoint(_ job: Job) throws(StorageError) {
    try connection.execute("SAVEPOINT job")
    if try !run(job) {
      connection.failure = nil
      try connection.execute("ROLLBACK TO job")
    }
    try connection.execute("RELEASE job")
  }
}
