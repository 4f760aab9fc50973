import EventLoop

/// Wakes one task: what is set while nobody waits is kept until somebody does.
public final class Alarm: Sendable {
  private struct State {
    var isSet = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Lock(State())

  public init() {}

  /// Wakes the one who waits, or the next one to come.
  public func set() {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.isSet = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Waits until the alarm is set, until `deadline`, or until the task is cancelled.
  ///
  /// - Parameter deadline: monotonic nanoseconds; may be over already.
  public func wait(until deadline: UInt64, on loop: EventLoop) async {
    let now = EventLoop.monotonicNanoseconds()
    let timer = Task(executorPreference: loop) {
      await loop.sleep(for: .nanoseconds(Int64(clamping: deadline > now ? deadline - now : 0)))
      if !Task.isCancelled { self.set() }
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          // A cancellation that came first has set the alarm.
          if !state.isSet { state.waiter = continuation }
          defer { state.isSet = false }
          return state.isSet
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      set()
    }
    timer.cancel()
  }
}
