import EventLoop

@testable import Gateway

/// Keeps deliveries under way until it is opened; then they have succeeded.
final class DeliveryGate: Sendable {
  private struct State {
    var isOpen = false
    var isEntered = false
    var inside: [CheckedContinuation<Void, Never>] = []
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Lock(State())

  func pass() async -> DeliveryOutcome {
    let waiting = state.withLock { state in
      state.isEntered = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.inside.append(continuation) }
        return state.isOpen
      }
      if isOpen { continuation.resume() }
    }
    return .delivered(result: [])
  }

  /// Returns when a delivery is under way.
  func waitUntilEntered() async {
    await withCheckedContinuation { continuation in
      let isEntered = state.withLock { state in
        if !state.isEntered { state.waiting.append(continuation) }
        return state.isEntered
      }
      if isEntered { continuation.resume() }
    }
  }

  func open() {
    let inside = state.withLock { state in
      state.isOpen = true
      defer { state.inside = [] }
      return state.inside
    }
    for continuation in inside { continuation.resume() }
  }
}
