import Synchronization

/// What a call that was handed to the store will have come to.
///
/// It can be awaited once, at any time: a stream hands over its next parts while the first is being committed.
public final class PendingResult<Value: Sendable>: Sendable {
  private enum State: Sendable {
    case open
    case awaited(CheckedContinuation<Value, any Error>)
    case complete(Result<Value, any Error>)
    case taken
  }

  private let state = Mutex(State.open)

  init() {}

  /// The value, when it is durable.
  ///
  /// - Throws: what the body threw, or ``StorageError``.
  public func value() async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
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

  func complete(_ result: Result<Value, any Error>) {
    let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
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
