import EventLoop

/// What a call goes over.
struct Pick {
  let subchannel: Subchannel
  let connection: ClientConnection
}

/// A call that waits for a connection. Sendable by the loop: touched there only.
final class CallWaiter: LoopTimer, @unchecked Sendable {
  let waitForReady: Bool
  var continuation: UnsafeContinuation<Result<Pick, RPCError>, Never>?
  private(set) var isDone = false

  init(waitForReady: Bool) { self.waitForReady = waitForReady }

  func finish(_ result: Result<Pick, RPCError>, _ loop: EventLoop) {
    guard !isDone else { return }
    isDone = true
    loop.cancel(self)
    continuation?.resume(returning: result)
    continuation = nil
  }

  /// The deadline has passed.
  override func fire() {
    guard !isDone else { return }
    isDone = true
    continuation?.resume(returning: .failure(RPCError(.deadlineExceeded, "the deadline passed without a connection")))
    continuation = nil
  }
}
