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
    var gathering = Gathering()
    while let first = queue.take(maximumCount: options.maximumBatchCount, maximumWeight: options.maximumBatchWeight) {
      var batch = connection.ordered(first)
      let duration = commit(&batch, gathering)
      let callers = batch.count + queue.count
      for job in batch { job.finish() }
      connection.tidyUp()
      gathering = Gathering(callers: callers, commitNanoseconds: duration, options: options)
      if connection.runsWhileGathering {
        gathering.waitForPart(queue, after: 0, weight: options.maximumBatchWeight)
      } else {
        gathering.wait(queue, weight: options.maximumBatchWeight)
      }
      if queue.count > 0 { connection.stepBack() }
    }
  }

  /// Who closes the store does not wait for a server that is away, but a lost connection is made anew.
  static let attemptsWhenClosing = 3

  /// - Returns: the nanoseconds that it took, without waiting for more jobs.
  private func commit(_ batch: inout [Job], _ gathering: Gathering) -> UInt64 {
    let start = EventLoop.monotonicNanoseconds()
    var waited: UInt64 = 0
    var attempt = 0
    while true {
      attempt += 1
      do throws(StorageError) {
        if try commitOnce(&batch, attempt == 1 ? gathering : Gathering(), &waited) {
          counters.commits.add(1, ordering: .relaxed)
        }
        break
      } catch {
        // Nothing of the batch is durable, and nobody may believe that it was.
        connection.rollBack()
        guard let pause = connection.pauseBeforeRetry(after: error, attempt: attempt),
          queue.pause(nanoseconds: pause) || attempt < Self.attemptsWhenClosing
        else {
          for job in batch { job.fail(error) }
          break
        }
      }
    }
    return EventLoop.monotonicNanoseconds() - start - waited
  }

  /// - Parameters:
  ///   - batch: gets the jobs that come while it is run.
  ///   - waited: gets the nanoseconds that it waited for them.
  /// - Returns: whether there was anything to commit.
  /// - Throws: what concerns all jobs alike; what a body throws is kept in its job.
  private func commitOnce(
    _ batch: inout [Job], _ gathering: Gathering, _ waited: inout UInt64
  ) throws(StorageError) -> Bool {
    try connection.beginWriting(batch)
    var isGood = try runAll(batch[...])
    while isGood, connection.runsWhileGathering {
      let run = batch.count
      guard gatherMore(&batch, gathering, &waited) else { break }
      isGood = try runAll(batch[run...])
    }
    if !isGood {
      connection.rollBack()
      if batch.count == 1 { return false }
      // A savepoint lets one body fail alone, but costs as much as a small write: only now is it worth it.
      try connection.beginWriting(batch)
      for job in batch { try runInSavepoint(job) }
    }
    try connection.commit()
    return true
  }

  /// - Returns: whether any came that the batch has room for.
  private func gatherMore(_ batch: inout [Job], _ gathering: Gathering, _ waited: inout UInt64) -> Bool {
    guard gathering.expects(moreThan: batch.count) else { return false }
    let room = options.maximumBatchWeight - batch.reduce(0) { $0 + $1.weight }
    let start = EventLoop.monotonicNanoseconds()
    gathering.waitForPart(queue, after: batch.count, weight: room)
    waited += EventLoop.monotonicNanoseconds() - start
    let more = queue.takeMore(maximumCount: options.maximumBatchCount - batch.count, maximumWeight: room)
    batch += more
    return !more.isEmpty
  }

  /// - Returns: false when a body has failed; those behind it were not run then.
  private func runAll(_ batch: ArraySlice<Job>) throws(StorageError) -> Bool {
    var rest = batch
    while let job = rest.popFirst() {
      let others = rest.prefix { job.isRunTogether(with: $0) }
      if try !run(job, with: others) { return false }
      rest = rest.dropFirst(others.count)
    }
    return true
  }

  /// - Returns: whether its changes, and those of the others, are to be committed.
  private func run(_ job: Job, with others: ArraySlice<Job> = []) throws(StorageError) -> Bool {
    let isGood = job.run(connection, with: others) == nil
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
