import EventLoop
import RPC

/// Logs connections that are refused: who, why, and how many. Some lines at once, so that somebody who tries things out
/// reads of each, then one a second at most, because whoever is refused tends to come back at once.
final class RefusedConnections: Sendable {
  private let allowance: LogAllowance
  private let log: @Sendable (_ reason: String, _ peer: Peer, _ count: Int) -> Void

  init(
    allowance: LogAllowance = LogAllowance(),
    log: @escaping @Sendable (_ reason: String, _ peer: Peer, _ count: Int) -> Void = { reason, peer, count in
      Log.warning(
        "connection refused", ["peer": "\(peer)", "reason": "\(reason)", "refused_since_last_line": LogValue(count)])
    }
  ) {
    self.allowance = allowance
    self.log = log
  }

  func report(_ reason: String, from peer: Peer) {
    if let suppressed = allowance.take() { log(reason, peer, suppressed + 1) }
  }
}
