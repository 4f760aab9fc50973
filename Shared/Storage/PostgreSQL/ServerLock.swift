import CPQ
import EventLoop
import Glibc

/// A lock that a session of its own holds on the server, which gives it back when the session ends. A thread watches over the
/// session.
final class ServerLock: HeldLock {
  private struct State {
    var isReleased = false
    var hasEnded = false
  }

  private let state = Monitor(State())
  /// The end of a pair whose closing wakes the thread; -1 when it is closed.
  private let wake: Lock<Int32>

  /// How often to look again whether another process has ended.
  private static let intervalMicroseconds: UInt32 = 50_000

  init(
    url: PostgreSQLURL, schema: String, waiting: Duration, onLoss: @escaping @Sendable (StorageError) -> Void
  ) throws(StorageError) {
    let store = "\(url.description), schema \(schema)"
    let session = try PostgreSQLSession(url, store: store, application: schema, options: DatabaseOptions())
    try session.simple("SET idle_session_timeout = 0")
    try Self.lock(session, schema, waiting)
    var ends: [Int32] = [-1, -1]
    let isOpen = socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
    wake = Lock(ends[1])
    let watched = WatchedSession(session)
    do throws(SystemError) {
      if !isOpen { throw SystemError("socketpair") }
      try spawnThread(named: "store-lock") { [state, end = ends[0]] in
        let error = watched.watch(end)
        close(end)
        let isLost = state.withLock { state in
          state.hasEnded = true
          return !state.isReleased
        }
        state.broadcast()
        if let error, isLost { onLoss(error) }
      }
    } catch {
      if isOpen { close(ends[0]) }
      state.withLock { $0.hasEnded = true }
      throw StorageError(.other, "store \(store): the lock can't be watched: \(error)")
    }
  }

  deinit { release() }

  func release() {
    state.withLock { $0.isReleased = true }
    wake.withLock { end in
      if end >= 0 { close(end) }
      end = -1
    }
    state.wait { $0.hasEnded ? () : nil }
  }

  private static func lock(_ session: PostgreSQLSession, _ schema: String, _ waiting: Duration) throws(StorageError) {
    let number = KeyLock.number("store", schema: schema)
    let end = EventLoop.monotonicNanoseconds() + waiting.nanoseconds
    while try session.simple("SELECT pg_try_advisory_lock(\(number))").text(0, 0) != "t" {
      if EventLoop.monotonicNanoseconds() >= end {
        throw StorageError(
          .locked, "store \(session.store): another process works on it, and only one may",
          remedy: "stop that one first (pg_stat_activity lists it), or give this one a database of its own")
      }
      usleep(intervalMicroseconds)
    }
  }
}

/// Unchecked: after it was handed over, only the watching thread uses the session.
private final class WatchedSession: @unchecked Sendable {
  private var session: PostgreSQLSession?

  /// How often the server is asked whether it is still there, and how long it may take to answer.
  private static let intervalMilliseconds: Int32 = 5_000
  private static let answerNanoseconds: UInt64 = 5_000_000_000

  init(_ session: PostgreSQLSession) { self.session = session }

  /// Ends the session, and with it gives the lock back, when the other end of `wake` is closed.
  ///
  /// - Returns: why the session was lost; nil when it was not.
  func watch(_ wake: Int32) -> StorageError? {
    defer { session = nil }
    while let session {
      var descriptors = [
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        pollfd(fd: PQsocket(session.handle), events: Int16(POLLIN), revents: 0),
      ]
      let ready = poll(&descriptors, 2, Self.intervalMilliseconds)
      if ready < 0 && errno != EINTR { return StorageError(.other, SystemError("poll").description) }
      let isReleased = ready > 0 && descriptors[0].revents != 0
      do throws(StorageError) {
        // The end of a session takes the server a moment: whoever waits for the lock shall not have to.
        try session.simple(
          isReleased ? "SELECT pg_advisory_unlock_all()" : "SELECT 1", nanoseconds: Self.answerNanoseconds)
      } catch {
        return error
      }
      if isReleased { return nil }
    }
    return nil
  }
}
