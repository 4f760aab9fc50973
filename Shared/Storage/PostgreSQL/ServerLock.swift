import EventLoop
import Glibc

/// A lock that a session of its own holds on the server, which gives it back when the session ends. A thread watches over the
/// session and makes another one when it is lost.
final class ServerLock: HeldLock {
  private struct State {
    var isHeld = true
    var isReleased = false
    var hasEnded = false
  }

  let fence: StoreFence?
  private let state = Monitor(State())
  /// The end of a pair whose closing wakes the thread; -1 when it is closed.
  private let wake: Lock<Int32>

  init(
    url: PostgreSQLURL, schema: String, waiting: Duration, onEvent: @escaping @Sendable (StoreLock.Event) -> Void
  ) throws(StorageError) {
    let store = "\(url.description), schema \(schema)"
    let connect: ServerLockWatch.Connect = { () throws(StorageError) in
      try LockSession(url, store: store, schema: schema)
    }
    let session = try connect()
    try session.lock(waiting: waiting)
    let fence = try session.takeOver()
    self.fence = fence
    var ends: [Int32] = [-1, -1]
    let isOpen = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    wake = Lock(ends[1])
    let watch = ServerLockWatch(session, fence, wake: ends[0], connect: connect)
    do throws(SystemError) {
      if !isOpen { throw SystemError("socketpair") }
      try spawnThread(named: "store-lock") { [state, end = ends[0]] in
        watch.run { event in
          let isReleased = state.withLock { state in
            state.isHeld = event == .regained
            return state.isReleased
          }
          if !isReleased { onEvent(event) }
        }
        close(end)
        state.withLock { ($0.isHeld, $0.hasEnded) = (false, true) }
        state.broadcast()
      }
    } catch {
      if isOpen { close(ends[0]) }
      state.withLock { $0.hasEnded = true }
      throw StorageError(.other, "store \(store): the lock can't be watched: \(error)")
    }
  }

  deinit { release() }

  var isHeld: Bool { state.withLock { $0.isHeld && !$0.isReleased } }

  func release() {
    state.withLock { $0.isReleased = true }
    wake.withLock { end in
      if end >= 0 { close(end) }
      end = -1
    }
    state.wait { $0.hasEnded ? () : nil }
  }
}
