import EventLoop

/// Why a service stops, said once, and waited for.
final class StopSignal: Sendable {
  enum Reason: Sendable, Equatable {
    case asked
    case failed
  }

  private struct State {
    var reason: Reason?
    var waiter: CheckedContinuation<Reason, Never>?
  }

  private let state = Lock(State())
  private let onFire: @Sendable () -> Void

  /// - Parameter onFire: told once, on the thread that fires.
  init(onFire: @escaping @Sendable () -> Void = {}) { self.onFire = onFire }

  /// The first reason counts.
  func fire(_ reason: Reason) {
    let (isFirst, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Reason, Never>?) in
      guard state.reason == nil else { return (false, nil) }
      state.reason = reason
      defer { state.waiter = nil }
      return (true, state.waiter)
    }
    guard isFirst else { return }
    waiter?.resume(returning: reason)
    onFire()
  }

  /// Waits until somebody fires; for one waiter.
  func wait() async -> Reason {
    await withCheckedContinuation { continuation in
      let reason = state.withLock { state -> Reason? in
        if state.reason == nil { state.waiter = continuation }
        return state.reason
      }
      if let reason { continuation.resume(returning: reason) }
    }
  }
}
