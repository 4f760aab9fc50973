import EventLoop
import RPC

/// Logs connections that are refused: who, why, and how many. One line in ten seconds at most, because whoever is refused
/// tends to come back at once.
final class RefusedConnections: Sendable {
  private struct State {
    var loggedAt: UInt64?
    var unloggedCount = 0
  }

  private let state = Lock(State())
  private let log: @Sendable (_ reason: String, _ peer: Peer, _ count: Int) -> Void

  static let interval = Duration.seconds(10)

  init(
    log: @escaping @Sendable (_ reason: String, _ peer: Peer, _ count: Int) -> Void = { reason, peer, count in
      Log.warning(
        "connection refused", ["peer": "\(peer)", "reason": "\(reason)", "refused_since_last_line": LogValue(count)])
    }
  ) {
    self.log = log
  }

  /// - Parameter now: monotonic nanoseconds.
  func report(_ reason: String, from peer: Peer, now: UInt64 = EventLoop.monotonicNanoseconds()) {
    let count = state.withLock { state -> Int? in
      state.unloggedCount += 1
      if let loggedAt = state.loggedAt, now &- loggedAt < Self.interval.nanoseconds { return nil }
      state.loggedAt = now
      defer { state.unloggedCount = 0 }
      return state.unloggedCount
    }
    if let count { log(reason, peer, count) }
  }
}
