import EventLoop

@testable import Gateway

/// A clock that goes on when a test says so.
final class InventedTime: Sendable {
  private let start = ContinuousClock.now
  private let passed = Lock(Duration.zero)

  func advance(by duration: Duration) { passed.withLock { $0 += duration } }

  var instant: ContinuousClock.Instant { start.advanced(by: passed.withLock { $0 }) }
  var wallTime: WallTime { WallTime(seconds: 1_700_000_000) + passed.withLock { $0 } }
}
