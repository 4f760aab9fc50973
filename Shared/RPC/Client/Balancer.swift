import EventLoop

/// A channel's connections on one loop, and whose turn it is: round robin over those that are ready.
///
/// Sendable by the loop: everything is touched there only.
final class Balancer: @unchecked Sendable {
  let loop: EventLoop
  private let target: Target
  let interceptors: ClientInterceptorTable
  private let requestResolution: @Sendable () -> Void
  private var subchannels: [Subchannel] = []
  private var turn = 0
  private var waiters: [Waiter] = []
  private var resolutionError: RPCError?
  private var isResolved = false
  private var isShutDown = false

  /// Calls that wait for a connection at once; more fail.
  private static let waiterLimit = 10_000

  init(
    loop: EventLoop, target: Target, interceptors: ClientInterceptorTable,
    requestResolution: @escaping @Sendable () -> Void
  ) {
    self.loop = loop
    self.target = target
    self.interceptors = interceptors
    self.requestResolution = requestResolution
  }

  func update(_ result: Result<[Address], RPCError>) {
    guard !isShutDown else { return }
    switch result {
    case .failure(let error):
      // What was known stays in use.
      resolutionError = error
    case .success(let addresses):
      isResolved = true
      resolutionError = nil
      let kept = subchannels.filter { addresses.contains($0.address) }
      let retired = subchannels.filter { !addresses.contains($0.address) }
      let added = addresses.filter { address in !kept.contains { $0.address == address } }
        .map { Subchannel($0, balancer: self) }
      subchannels = kept + added
      for subchannel in retired { subchannel.retire() }
      // What is known anew may be there again: no reason to sit out a back-off.
      for subchannel in kept { subchannel.startOver() }
      for subchannel in added { subchannel.connect() }
    }
    stateChanged()
  }

  func connectionLost() { requestResolution() }

  func stateChanged() {
    guard !waiters.isEmpty else { return }
    let waiting = waiters
    waiters = []
    for waiter in waiting where !waiter.isDone {
      switch pick(waitForReady: waiter.waitForReady) {
      case .success(let connection?): waiter.finish(.success(connection), loop)
      case .success(nil): waiters.append(waiter)
      case .failure(let error): waiter.finish(.failure(error), loop)
      }
    }
  }

  /// The connection for the next call; suspends while there may be one soon.
  /// - Throws: UNAVAILABLE when no address can be reached (unless the call waits for that), DEADLINE_EXCEEDED,
  ///   CANCELLED.
  func connection(deadline: UInt64?, waitForReady: Bool) async throws -> ClientConnection {
    if let connection = try pick(waitForReady: waitForReady).get() { return connection }
    // Calls whose deadline has passed or that were cancelled stay in the list until something changes.
    if waiters.count >= Balancer.waiterLimit { waiters.removeAll(where: \.isDone) }
    guard waiters.count < Balancer.waiterLimit else {
      throw RPCError(.resourceExhausted, "\(waiters.count) calls wait for a connection to \(target) already")
    }
    let waiter = Waiter(waitForReady: waitForReady)
    return try await withTaskCancellationHandler {
      try await withUnsafeContinuation {
        (continuation: UnsafeContinuation<Result<ClientConnection, RPCError>, Never>) in
        if waiter.isDone || Task.isCancelled {
          // A task that was cancelled before it came here has had its handler called already, with nobody to tell.
          waiter.finish(.failure(RPCError(.cancelled, "the call was cancelled")), loop)
          continuation.resume(returning: .failure(RPCError(.cancelled, "the call was cancelled")))
        } else {
          waiter.continuation = continuation
          if let deadline { loop.schedule(waiter, at: deadline) }
          waiters.append(waiter)
        }
      }.get()
    } onCancel: {
      let loop = loop
      loop.execute { waiter.finish(.failure(RPCError(.cancelled, "the call was cancelled")), loop) }
    }
  }

  /// Nil when it is worth while to wait.
  private func pick(waitForReady: Bool) -> Result<ClientConnection?, RPCError> {
    assert(loop.isCurrent)
    guard !isShutDown else {
      let text = "the channel to \(target) is shut down"
      return .failure(RPCError(.unavailable, text, cause: NoConnection(target: target, reason: text)))
    }
    for step in 0..<subchannels.count {
      let index = (turn + step) % subchannels.count
      if subchannels[index].state == .ready, let connection = subchannels[index].connection, !connection.isGoingAway {
        turn = index + 1
        return .success(connection)
      }
    }
    if waitForReady || subchannels.contains(where: { $0.state == .connecting }) { return .success(nil) }
    if resolutionError == nil && !isResolved { return .success(nil) }
    let reason = resolutionError ?? subchannels.lazy.compactMap(\.lastError).first
    let text = reason?.message ?? "nothing answers at \(target): start the service"
    return .failure(RPCError(.unavailable, text, cause: NoConnection(target: target, reason: text)))
  }

  func shutDown() {
    isShutDown = true
    for subchannel in subchannels { subchannel.retire() }
    subchannels = []
    stateChanged()
  }
}

/// A call that waits for a connection. Sendable by the loop: touched there only.
private final class Waiter: LoopTimer, @unchecked Sendable {
  let waitForReady: Bool
  var continuation: UnsafeContinuation<Result<ClientConnection, RPCError>, Never>?
  private(set) var isDone = false

  init(waitForReady: Bool) { self.waitForReady = waitForReady }

  func finish(_ result: Result<ClientConnection, RPCError>, _ loop: EventLoop) {
    guard !isDone else { return }
    isDone = true
    loop.cancel(self)
    continuation?.resume(returning: result)
    continuation = nil
  }

  override func fire() {
    guard !isDone else { return }
    isDone = true
    continuation?.resume(returning: .failure(RPCError(.deadlineExceeded, "the deadline passed without a connection")))
    continuation = nil
  }
}
