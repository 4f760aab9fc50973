import EventLoop
import Glibc

/// A value behind a lock, with a condition to wait for.
///
/// Sendable: the value is touched under the lock only.
final class Monitor<Value>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private var value: Value

  init(_ value: sending Value) {
    self.value = value
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    var attributes = pthread_condattr_t()
    let failed =
      pthread_mutex_init(mutex, nil) != 0 || pthread_condattr_init(&attributes) != 0
      || pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 || pthread_cond_init(changed, &attributes) != 0
    precondition(!failed, "no lock could be made")
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Runs `body` under the lock. What it takes out of the value must not stay reachable from it.
  func withLock<Result, Failure: Error>(_ body: (inout Value) throws(Failure) -> Result) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }

  /// Waits until `body` answers something; it is asked again after every ``signal()`` and ``broadcast()``.
  func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&value) { return result }
      pthread_cond_wait(changed, mutex)
    }
  }

  /// Waits until `condition` holds, for at most `nanoseconds`.
  func wait(nanoseconds: UInt64, until condition: (Value) -> Bool) {
    let end = EventLoop.monotonicNanoseconds() + nanoseconds
    var deadline = timespec(tv_sec: Int(end / 1_000_000_000), tv_nsec: Int(end % 1_000_000_000))
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !condition(value) {
      if pthread_cond_timedwait(changed, mutex, &deadline) != 0 { return }
    }
  }

  func signal() { pthread_cond_signal(changed) }

  func broadcast() { pthread_cond_broadcast(changed) }
}
