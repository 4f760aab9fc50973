import EventLoop
import Glibc

/// Keeps a thread of a store inside a body until it is opened, so that what is handed over meanwhile is known to wait.
public final class Gate: @unchecked Sendable {
  private struct State {
    var isEntered = false
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Lock(State())
  // Sendable: a semaphore is made for several threads.
  private let opened = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

  public init() { sem_init(opened, 0, 0) }

  deinit {
    sem_destroy(opened)
    opened.deallocate()
  }

  /// Blocks until the gate is open; then it stays so.
  public func pass() {
    let waiting = state.withLock { state in
      state.isEntered = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume() }
    while sem_wait(opened) != 0 {}
    sem_post(opened)
  }

  /// Returns when somebody is inside. Blocks no thread: what is to come inside may need it.
  public func waitUntilEntered() async {
    await withCheckedContinuation { continuation in
      let isEntered = state.withLock { state in
        if !state.isEntered { state.waiting.append(continuation) }
        return state.isEntered
      }
      if isEntered { continuation.resume() }
    }
  }

  public func open() { sem_post(opened) }
}
