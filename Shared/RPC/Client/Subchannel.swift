import EventLoop

/// One address of a channel: connected, connecting, or waiting to try again. Lives on the channel's loop.
final class Subchannel: LoopTimer, @unchecked Sendable {
  // Sendable by the loop: everything is touched there only.
  enum State {
    case connecting, ready, waiting
  }

  let address: Address
  private unowned let balancer: Balancer
  private(set) var state = State.waiting
  private(set) var connection: ClientConnection?
  private(set) var lastError: RPCError?
  private var failures = 0
  /// When the connection was made, in monotonic nanoseconds.
  private var connectedAt: UInt64 = 0

  private static let connectTimeout: UInt64 = 5_000_000_000
  /// A connection that was lost sooner has not worked: a peer that accepts and closes, because it is full or stopping, is
  /// to be met with the same patience as one that refuses.
  private static let shortestSuccess: UInt64 = 1_000_000_000
  private static let firstBackOff = 50_000_000.0
  private static let longestBackOff = 2_000_000_000.0

  init(_ address: Address, balancer: Balancer) {
    self.address = address
    self.balancer = balancer
  }

  func connect() {
    guard state == .waiting, connection == nil else { return }
    balancer.loop.cancel(self)
    state = .connecting
    do throws(SystemError) {
      connection = try ClientConnection(to: address, loop: balancer.loop, owner: self)
      balancer.loop.schedule(self, at: EventLoop.monotonicNanoseconds() &+ Subchannel.connectTimeout)
    } catch {
      failed(RPCError(.unavailable, "\(address): \(error.reason)"))
    }
  }

  /// Forgets failures and connects at once, unless it is connected or about to be.
  func startOver() {
    guard state == .waiting else { return }
    failures = 0
    connect()
  }

  func didConnect(_ connection: ClientConnection) {
    guard connection === self.connection else { return }
    balancer.loop.cancel(self)
    connectedAt = EventLoop.monotonicNanoseconds()
    lastError = nil
    state = .ready
    balancer.stateChanged()
  }

  /// The peer drains: its calls end in peace, new ones go over a new connection.
  func isGoingAway(_ connection: ClientConnection) {
    guard connection === self.connection else { return }
    connection.endWhenIdle()
    self.connection = nil
    again(RPCError(.unavailable, "\(address): the server is stopping"))
    balancer.connectionLost()
  }

  func didClose(_ connection: ClientConnection, _ reason: RPCError) {
    guard connection === self.connection else { return }
    self.connection = nil
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
      failures = 0
    } else if failures > 0 {
      return failed(error)
    } else {
      failures = 1
    }
    balancer.loop.schedule(self, at: EventLoop.monotonicNanoseconds())
    state = .connecting
    balancer.stateChanged()
  }

  private func failed(_ error: RPCError) {
    connection = nil
    lastError = error
    state = .waiting
    failures += 1
    // 50 ms, 80, 128, … 2 s, each ± 20 %: replicas that come back are not met by all clients at once.
    var backOff = Subchannel.firstBackOff
    for _ in 1..<min(failures, 20) { backOff = min(backOff * 1.6, Subchannel.longestBackOff) }
    backOff *= Double.random(in: 0.8...1.2)
    balancer.loop.schedule(self, at: EventLoop.monotonicNanoseconds() &+ UInt64(backOff))
    balancer.stateChanged()
  }

  /// The time to connect is up, or the time to wait.
  override func fire() {
    if let connection {
      if state == .connecting {
        connection.close(RPCError(.unavailable, "no connection within 5 s"))
      }
    } else {
      state = .waiting
      connect()
    }
  }

  /// The address is not one of the target's any more.
  func retire() {
    balancer.loop.cancel(self)
    let connection = connection
    self.connection = nil
    connection?.endWhenIdle()
  }
}
