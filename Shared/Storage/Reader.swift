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
      for job in jobs {
        read(job)
        job.finish()
      }
    }
  }

  private func read(_ job: Job) {
    var attempt = 0
    while true {
      attempt += 1
      do throws(StorageError) {
        try readOnce(job)
        return
      } catch {
        connection.rollBack()
        guard let pause = connection.pauseBeforeRetry(after: error, attempt: attempt),
          queue.pause(nanoseconds: pause) || attempt < Writer.attemptsWhenClosing
        else { return job.fail(error) }
      }
    }
  }

  private func readOnce(_ job: Job) throws(StorageError) {
    try connection.beginReading()
    let error = job.run(connection)
    guard let failure = connection.failure else { return try connection.commit() }
    if error == nil || connection.endsTransaction(failure) { throw failure }
    connection.rollBack()
  }
}
