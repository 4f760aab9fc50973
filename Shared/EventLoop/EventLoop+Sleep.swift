extension EventLoop {
  /// Suspends the caller for `duration` without leaving the loop. Ends early, silently, when the task is cancelled.
  public func sleep(for duration: Duration) async {
    let timer = SleepTimer()
    let deadline = EventLoop.monotonicNanoseconds() &+ duration.nanoseconds
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        execute {
          timer.continuation = continuation
          if Task.isCancelled || timer.isCancelled { timer.fire() } else { self.schedule(timer, at: deadline) }
        }
      }
    } onCancel: {
      execute {
        timer.isCancelled = true
        self.cancel(timer)
        timer.fire()
      }
    }
  }
}

/// Sendable by the loop: touched there only.
private final class SleepTimer: LoopTimer, @unchecked Sendable {
  var continuation: UnsafeContinuation<Void, Never>?
  var isCancelled = false
  override func fire() {
    continuation?.resume()
    continuation = nil
  }
}
