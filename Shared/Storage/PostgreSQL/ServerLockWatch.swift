import CPQ
import EventLoop
import Glibc

/// Holds a store's lock until it is told to give it back, over any number of sessions.
///
/// Unchecked: after it was handed over, only the watching thread uses it.
final class ServerLockWatch: @unchecked Sendable {
  typealias Connect = @Sendable () throws(StorageError) -> LockSession

  private var session: LockSession?
  /// The last session that had the lock.
  private var last: LockSession.Identity
  private let fence: StoreFence
  private let wake: Int32
  private let connect: Connect

  /// How often the server is asked whether it is still there.
  private static let intervalMilliseconds: Int32 = 5_000
  /// Between two tries to have the lock again: at first none, as a server that was restarted is there again.
  private static let pauseMilliseconds: ClosedRange<Int32> = 50...1_000

  /// - Parameter wake: a descriptor whose other end is closed to give the lock back.
  init(_ session: LockSession, _ fence: StoreFence, wake: Int32, connect: @escaping Connect) {
    self.session = session
    self.fence = fence
    self.wake = wake
    self.connect = connect
    last = session.identity
  }

  /// Returns when the lock is given back, or another process has taken it.
  func run(_ tell: (StoreLock.Event) -> Void) {
    defer { session = nil }
    while let loss = untilLost() {
      session = nil
      tell(.lost(loss))
      guard retake(after: loss, tell) else { return }
      tell(.regained)
    }
  }

  /// - Returns: why the session was lost; nil when the lock was given back.
  private func untilLost() -> StorageError? {
    while let session {
      var descriptors = [
        pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        pollfd(fd: PQsocket(session.session.handle), events: Int16(POLLIN), revents: 0),
      ]
      let ready = poll(&descriptors, 2, Self.intervalMilliseconds)
      if ready < 0 && errno != EINTR { return StorageError(.other, SystemError("poll").description) }
      let isReleased = ready > 0 && descriptors[0].revents != 0
      do throws(StorageError) {
        if isReleased { try session.unlock() } else { try session.check() }
      } catch {
        return error
      }
      if isReleased { return nil }
    }
    return nil
  }

  /// - Returns: false when the lock is given back, or another process has taken it.
  private func retake(after loss: StorageError, _ tell: (StoreLock.Event) -> Void) -> Bool {
    var told = loss
    var pause: Int32 = 0
    while !isReleased(within: pause) {
      do throws(StorageError) {
        if try hasRetaken() { return true }
      } catch {
        if error.kind == .locked {
          tell(.taken(error))
          return false
        }
        // Every second the same would drown what else is to be read.
        if error.kind != told.kind { tell(.lost(error)) }
        told = error
      }
      pause = min(max(pause * 2, Self.pauseMilliseconds.lowerBound), Self.pauseMilliseconds.upperBound)
    }
    return false
  }

  /// - Returns: false when it is to be tried again.
  /// - Throws: `locked` when another process has taken the lock, also one that has given it back since.
  private func hasRetaken() throws(StorageError) -> Bool {
    let next = try connect()
    try next.end(last)
    let isLocked = try next.tryLock()
    try fence.check(try next.holder(), store: next.session.store)
    guard isLocked else { return false }
    (session, last) = (next, next.identity)
    return true
  }

  private func isReleased(within milliseconds: Int32) -> Bool {
    let end = EventLoop.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
    while true {
      var descriptor = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
      let now = EventLoop.monotonicNanoseconds()
      let left = end > now ? Int32((end - now + 999_999) / 1_000_000) : 0
      let ready = poll(&descriptor, 1, left)
      if ready > 0 { return true }
      if ready == 0 || EventLoop.monotonicNanoseconds() >= end { return false }
    }
  }
}
