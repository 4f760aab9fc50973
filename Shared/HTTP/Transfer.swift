import EventLoop

/// One request of the client, from `send` to its end.
final class Transfer: Sendable {
  let request: HTTPRequest
  let deadline: ContinuousClock.Instant
  let options: HTTPClientOptions
  private enum State {
    case created
    case waiting(CheckedContinuation<HTTPResponse, any Error>)
    case finished(Result<HTTPResponse, any Error>)
  }
  private let state = Lock(State.created)

  init(request: HTTPRequest, deadline: ContinuousClock.Instant, options: HTTPClientOptions) {
    self.request = request
    self.deadline = deadline
    self.options = options
  }

  /// `send` waits from now on, unless the request has been cancelled already.
  func begin(_ continuation: CheckedContinuation<HTTPResponse, any Error>) {
    let early = state.withLock { state -> Result<HTTPResponse, any Error>? in
      if case .finished(let result) = state { return result }
      state = .waiting(continuation)
      return nil
    }
    if let early { continuation.resume(with: early) }
  }

  /// Answers `send`; the first answer counts.
  func finish(_ result: Result<HTTPResponse, any Error>) {
    let waiting = state.withLock { state -> CheckedContinuation<HTTPResponse, any Error>? in
      let before = state
      if case .finished = before { return nil }
      state = .finished(result)
      if case .waiting(let continuation) = before { return continuation }
      return nil
    }
    waiting?.resume(with: result)
  }

  var isFinished: Bool {
    state.withLock { state in if case .finished = state { true } else { false } }
  }
}
