import EventLoop
// Lock is its Mutex, which what is inlinable has to see.
import Synchronization

/// What a call that was handed to the store will have come to.
///
/// It can be awaited once, at any time: a stream hands over its next parts while the first is being committed.
///
/// Inlinable, like the generic parts of ``Database``: specialised for their value they cost half as much.
public final class PendingResult<Value: Sendable>: Sendable {
  @usableFromInline enum State: Sendable {
    case open
    case awaited(UnsafeContinuation<Value, any Error>)
    case complete(Result<Value, any Error>)
    case taken
  }

  @usableFromInline let state = Lock(State.open)

  @inlinable init() {}

  /// The value, when it is durable.
  ///
  /// - Throws: what the body threw, or ``StorageError``.
  @inlinable
  public func value() async throws -> Value {
    try await withUnsafeThrowingContinuation { continuation in
      let ready: Result<Value, any Error>? = state.withLock { state in
        switch state {
        case .open:
          state = .awaited(continuation)
          return nil
        case .complete(let result):
          state = .taken
          return result
        case .awaited, .taken:
          preconditionFailure("a pending result is awaited once")
        }
      }
      if let ready { continuation.resume(with: ready) }
    }
  }

  @inlinable
  func complete(_ result: Result<Value, any Error>) {
    let waiting: UnsafeContinuation<Value, any Error>? = state.withLock { state in
      guard case .awaited(let continuation) = state else {
        state = .complete(result)
        return nil
      }
      state = .taken
      return continuation
    }
    waiting?.resume(with: result)
  }
}
