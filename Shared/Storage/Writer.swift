import CSQLite
import EventLoop

/// The thread that writes. All calls that wait when it comes round share one transaction and so one flush of the disk.
///
/// Unchecked: nothing but that thread uses the connection once it runs.
struct Writer: @unchecked Sendable {
  let connection: Connection
  let queue: JobQueue
  let options: DatabaseOptions
  let counters: Counters
  private let turn: WriterTurn

  /// From here on a checkpoint waits for the readers, so that the log shrinks although they are many.
  private var forcedCheckpointPages: Int { options.checkpointPages * 8 }

  init(
    connection: Connection, queue: JobQueue, options: DatabaseOptions, counters: Counters
  ) throws(StorageError) {
    self.connection = connection
    self.queue = queue
    self.options = options
    self.counters = counters
    turn = try WriterTurn(path: connection.path + "-turn")
    connection.state.pointee.turn = Unmanaged.passUnretained(turn)
  }

  /// Works until the queue is closed and empty.
  func run() {
    while let batch = queue.take(
      maximumCount: options.maximumBatchCount, maximumWeight: options.maximumBatchWeight)
    {
      let start = EventLoop.monotonicNanoseconds()
      commit(batch)
      let duration = EventLoop.monotonicNanoseconds() - start
      let callers = batch.count + queue.count
      for job in batch { job.finish() }
      checkpointIfDue()
      gather(callers, commitNanoseconds: duration)
      if queue.count > 0 { turn.stepBack() }
    }
    connection.state.pointee.turn = nil
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

  private static let maximumGatherNanoseconds: UInt64 = 2_000_000

  private func commit(_ batch: [Job]) {
    do throws(StorageError) {
      try begin()
      if batch.contains(where: { $0.run(connection) != nil }) {
        rollBack()
        if batch.count == 1 { return }
        // A savepoint lets one body fail alone, but costs as much as a small write: only now is it worth it.
        try begin()
        for job in batch { try runInSavepoint(job) }
      }
      try connection.execute("COMMIT")
    } catch {
      // Nothing of the batch is durable, and nobody may believe that it was.
      rollBack()
      for job in batch { job.fail(error) }
      return
    }
    counters.commits.add(1, ordering: .relaxed)
  }

  private func begin() throws(StorageError) {
    defer { turn.withdraw() }
    try connection.execute("BEGIN IMMEDIATE")
  }

  private func runInSavepoint(_ job: Job) throws(StorageError) {
    try connection.execute("SAVEPOINT job")
    guard let failure = job.run(connection) else {
      try connection.execute("RELEASE job")
      return
    }
    // A full disk or an I/O error takes the whole transaction with it, other jobs' changes included.
    guard connection.isInTransaction else { throw failure as? StorageError ?? connection.lastError() }
    try connection.execute("ROLLBACK TO job")
    try connection.execute("RELEASE job")
  }

  private func rollBack() {
    guard connection.isInTransaction else { return }
    do throws(StorageError) {
      try connection.execute("ROLLBACK")
    } catch {
      // The next BEGIN would fail on the open transaction; SQLite only refuses a rollback that has happened already.
      options.onBackgroundError(error)
    }
  }

  /// Copies the log into the file after the callers have their answers: they don't wait for it.
  private func checkpointIfDue() {
    let pages = Int(connection.state.pointee.walPages)
    guard pages >= options.checkpointPages else { return }
    let mode = pages >= forcedCheckpointPages ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    let code = sqlite3_wal_checkpoint_v2(connection.handle, "main", mode, nil, nil)
    turn.withdraw()
    // Another process is at it, or a reader is in the way: the next commit tries again.
    if code == SQLITE_OK || code & 0xff == SQLITE_BUSY { return }
    options.onBackgroundError(StorageError(code: code, handle: connection.handle, path: connection.path))
  }
}
