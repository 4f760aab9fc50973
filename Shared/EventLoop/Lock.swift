import Glibc
import Synchronization

// The one lock of everything above. The thread sanitizer does not see what the standard library's `Mutex` does (its futex
// is taken in code that is not instrumented), and would call everything behind one a race. It knows pthread's mutexes.

#if THREAD_SANITIZER
  /// A value that one thread at a time may touch. This one is for `Tests/run sanitize`, which defines THREAD_SANITIZER.
  public struct Lock<State: ~Copyable>: ~Copyable, @unchecked Sendable {
    // Sendable: `state` is touched while `mutex` is held only. Both are in memory of their own, as a mutex must not move.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let state = UnsafeMutablePointer<State>.allocate(capacity: 1)

    public init(_ initial: consuming sending State) {
      pthread_mutex_init(mutex, nil)
      state.initialize(to: initial)
    }

    deinit {
      state.deinitialize(count: 1)
      state.deallocate()
      pthread_mutex_destroy(mutex)
      mutex.deallocate()
    }

    /// Runs `body` while no other thread is in here. Not recursive.
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
      _ body: (inout sending State) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      return try body(&state.pointee)
    }
  }
#else
  /// A value that one thread at a time may touch.
  public typealias Lock<State: ~Copyable> = Mutex<State>
#endif
