/// A thread that reads.
///
/// Unchecked: nothing but that thread uses the connection once it runs.
struct Reader: @unchecked Sendable {
  let connection: Connection
  let queue: JobQueue

  /// Works until the queue is closed and empty. One call at a time, so that calls spread over the readers and no read
  /// transaction, which keeps the log from shrinking, lasts longer than its call.
  func run() {
    while let jobs = queue.take(maximumCount: 1, maximumWeight: .max) {
      for job in jobs { read(job) }
    }
  }

  private func read(_ job: Job) {
    do throws(StorageError) {
      try connection.execute("BEGIN")
      _ = job.run(connection)
      if connection.isInTransaction { try connection.execute("COMMIT") }
    } catch {
      job.fail(error)
    }
    job.finish()
  }
}
