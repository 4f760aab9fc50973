import EventLoop

/// How often one thing may be logged: some lines at once, then one a second. What is left out is counted, so that a peer
/// that makes calls fail neither fills the disk nor hides how often it did.
public final class LogAllowance: Sendable {
  private struct State {
    /// Lines that may be written now.
    var lines: Int
    /// When the last one was given back, in nanoseconds of the monotonic clock.
    var refilledAt: UInt64
    var suppressed = 0
  }

  private static let refillInterval: UInt64 = 1_000_000_000

  private let burst: Int
  private let now: @Sendable () -> UInt64
  private let state: Lock<State>

  /// - Parameters:
  ///   - burst: lines at once.
  ///   - now: nanoseconds of a clock that never goes back.
  public init(burst: Int = 10, now: @escaping @Sendable () -> UInt64 = { EventLoop.monotonicNanoseconds() }) {
    precondition(burst > 0, "an allowance of no lines logs nothing")
    self.burst = burst
    self.now = now
    state = Lock(State(lines: burst, refilledAt: now()))
  }

  /// Asked before a line is written.
  /// - Returns: how many were left out since the last one that was written; nil when this one has to be left out.
  public func take() -> Int? {
    let time = now()
    return state.withLock { state in
      let earned = (time &- state.refilledAt) / Self.refillInterval
      if earned > 0 {
        state.lines = min(burst, state.lines + Int(clamping: earned))
        state.refilledAt += earned * Self.refillInterval
      }
      guard state.lines > 0 else {
        state.suppressed += 1
        return nil
      }
      state.lines -= 1
      defer { state.suppressed = 0 }
      return state.suppressed
    }
  }
}
