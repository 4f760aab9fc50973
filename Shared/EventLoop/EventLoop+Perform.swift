extension EventLoop {
  /// Runs `body` on the loop and returns what it returns: at once when called there. Cancelling the caller cancels it.
  ///
  /// `withTaskExecutorPreference` does not get here from another thread for certain, not even with a `@concurrent`
  /// closure: with -O (Swift 6.3) the body went on where the caller was, now and then or always, while debug builds
  /// hopped. A task of the loop's own starts on the loop, and the caller resumes where it belongs.
  public func perform<Result: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    if keepsCurrentTask { return try await body() }
    let task = Task(executorPreference: self) { () async -> Swift.Result<Result, Failure> in
      do throws(Failure) {
        return .success(try await body())
      } catch {
        return .failure(error)
      }
    }
    return try await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      task.cancel()
    }.get()
  }

  /// Whether the task that calls this is on the loop, and is there again after it has waited. What the loop runs without a task
  /// does not wait.
  ///
  /// That the thread is the loop's does not say so. An actor that a task of the loop calls runs there, and with it whatever
  /// else waits for the actor: tasks that belong nowhere go on in their own code on that thread, until they wait for something
  /// and come back on another one. Code that waits has to ask this before it touches what the loop owns.
  public var keepsCurrentTask: Bool {
    isCurrent
      && withUnsafeCurrentTask { task in
        guard let task else { return true }
        return task.unownedTaskExecutor == asUnownedTaskExecutor()
      }
  }
}
