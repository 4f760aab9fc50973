import EventLoop

/// One address of a channel: connected, connecting, or waiting to try again. Lives on the channel's loop.
final class Subchannel: LoopTimer, @unchecked Sendable {
  // Sendable by the loop: everything is touched there only.
  enum State {
    /// Not asked to connect.
    case idle
    case connecting, ready
    /// For the end of its back-off.
    case waiting
  }

  let address: Address
  private unowned let balancer: Balancer
  private(set) var state = State.idle
  private(set) var connection: ClientConnection?
  private(set) var lastError: RPCError?
  /// What calls to it came to, for the balancer to judge by.
  var record = ReplicaRecord()
  /// Whether it serves, by its own word.
  private(set) var isServing = true {
    didSet { if isServing != oldValue { balancer.healthChanged() } }
  }
  private var healthWatch: HealthWatch?
  /// Of the first call of the connection that was begun when the replica had said that it serves again: what those before it come to is
  /// for a reason that it knows to be gone.
  private var firstJudged: Int32 = 0
  /// Its connection has broken, or is about to be found broken, with calls on it.
  private var lostCalls = false
  private var isRetired = false
  // 50 ms, 80, 128, … 2 s: sooner and shorter than gRPC's 1 s to 120 s, as replicas are near and few.
  private var backOff = BackOff(first: .milliseconds(50), longest: .seconds(2))
  /// When the connection was made, in monotonic nanoseconds.
  private var connectedAt: UInt64 = 0

  /// For the connection and the server's SETTINGS.
  static let connectTimeout = Duration.seconds(5)
  /// A connection that was lost sooner has not worked: a peer that accepts and closes, because it is full or stopping, is
  /// to be met with the same patience as one that refuses.
  private static let shortestSuccess: UInt64 = 1_000_000_000

  init(_ address: Address, balancer: Balancer) {
    self.address = address
    self.balancer = balancer
  }

  func connect() {
    guard state == .waiting || state == .idle, connection == nil else { return }
    balancer.loop.cancel(self)
    guard balancer.mayConnect(self) else {
      state = .idle
      return
    }
    isRetired = false
    state = .connecting
    do throws(SystemError) {
      connection = try ClientConnection(
        to: address, loop: balancer.loop, owner: self, keepalive: balancer.keepalive, tls: balancer.tls)
      balancer.loop.schedule(self, at: EventLoop.monotonicNanoseconds() &+ Subchannel.connectTimeout.nanoseconds)
    } catch {
      failed(RPCError(.unavailable, "\(address): \(error.reason)"))
    }
  }

  /// Forgets failures and connects at once, unless it is connected or about to be.
  func startOver() {
    guard state == .waiting else { return }
    backOff.reset()
    connect()
  }

  /// Another address is used: no connection, and no attempts at one.
  func rest() {
    guard state != .idle else { return }
    state = .idle
    retire()
  }

  func didConnect(_ connection: ClientConnection) {
    guard connection === self.connection else { return }
    balancer.loop.cancel(self)
    connectedAt = EventLoop.monotonicNanoseconds()
    lastError = nil
    state = .ready
    watchHealth()
    balancer.stateChanged()
  }

  /// The peer drains: its calls end in peace, new ones go over a new connection.
  func isGoingAway(_ connection: ClientConnection) {
    guard connection === self.connection else { return }
    self.connection = nil
    endHealthWatch()
    connection.endWhenIdle()
    again(RPCError(.unavailable, "\(address): the server is stopping"))
    balancer.connectionLost()
  }

  func didClose(_ connection: ClientConnection, _ reason: RPCError) {
    guard connection === self.connection else { return }
    self.connection = nil
    endHealthWatch()
    if lostCalls {
      lostCalls = false
      recordFailure()
    }
    let error = RPCError(.unavailable, "\(address): \(reason.message)")
    let wasReady = state == .ready
    balancer.loop.cancel(self)
    if wasReady {
      again(error)
    } else {
      failed(error)
    }
    // Last: the resolver may look at once, and this address be retired before the call returns.
    balancer.connectionLost()
  }

  /// A connection that had worked is replaced at once, though not in the middle of what ended it. One that had not is, too,
  /// the first time.
  private func again(_ error: RPCError) {
    if EventLoop.monotonicNanoseconds() &- connectedAt >= Subchannel.shortestSuccess {
      backOff.reset()
    } else if backOff.count > 0 {
      return failed(error)
    } else {
      var random = SystemRandomNumberGenerator()
      _ = backOff.next(using: &random)
    }
    balancer.loop.schedule(self, at: EventLoop.monotonicNanoseconds())
    state = .connecting
    balancer.stateChanged()
  }

  private func failed(_ error: RPCError) {
    connection = nil
    lastError = error
    state = .waiting
    // Jittered, so that replicas that come back are not met by all clients at once.
    var random = SystemRandomNumberGenerator()
    balancer.loop.schedule(self, at: EventLoop.monotonicNanoseconds() &+ backOff.next(using: &random))
    balancer.stateChanged()
  }

  /// Asks the replica to tell its health, if that is wanted, and it is connected and not asked yet.
  func watchHealth() {
    guard let connection, state == .ready, healthWatch == nil, balancer.watchesHealth else { return }
    let watch = HealthWatch(connection, loop: balancer.loop, owner: self)
    healthWatch = watch
    watch.start()
  }

  /// The replica has told its health.
  func said(isServing: Bool) {
    if isServing && !self.isServing {
      record = ReplicaRecord()
      firstJudged = connection?.nextID ?? 0
    }
    self.isServing = isServing
  }

  /// What is known is of the connection's process, and the next one may be another.
  private func endHealthWatch() {
    healthWatch?.stop()
    healthWatch = nil
    isServing = true
    firstJudged = 0
  }

  /// Left alone while there are others.
  var isSpared: Bool { record.isEjected || !isServing }

  // MARK: What calls come to

  /// A call on this address has ended. `isLost`: together with its connection, which counts as one failure however many
  /// calls were on it.
  @inline(__always) func callEnded(_ error: RPCError?, of stream: ClientStream, isLost: Bool) {
    guard let error else { return record.succeeded() }
    callFailed(error, of: stream, isLost: isLost)
  }

  private func callFailed(_ error: RPCError, of stream: ClientStream, isLost: Bool) {
    guard !isLost else {
      if state == .ready { lostCalls = true }
      return
    }
    switch error.code {
    case .unavailable, .deadlineExceeded, .internalError: if stream.id >= firstJudged { recordFailure() }
    case .cancelled: break  // says nothing of the replica
    default: record.succeeded()
    }
  }

  private func recordFailure() {
    // The balancer may be gone before the last call has ended.
    guard !isRetired else { return }
    record.failed()
    balancer.failureRecorded(self)
  }

  /// The time to connect is up, or the time to wait.
  override func fire() {
    if let connection {
      if state == .connecting {
        connection.close(RPCError(.unavailable, "no answer within 5 s"))
      }
    } else {
      state = .waiting
      connect()
    }
  }

  /// The address is not one of the target's any more.
  func retire() {
    isRetired = true
    balancer.loop.cancel(self)
    healthWatch?.stop()
    healthWatch = nil
    let connection = connection
    self.connection = nil
    connection?.endWhenIdle()
  }
}
