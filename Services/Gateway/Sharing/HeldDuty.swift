import Storage
import Synchronization

/// Until when this gateway may do what one of several does for all.
final class HeldDuty: Sendable {
  /// In nanoseconds of the clock; 0 while another gateway does it.
  private let end = Atomic<UInt64>(0)
  private let now: @Sendable () -> UInt64

  /// Not held.
  ///
  /// - Parameter now: as in ``HeldPartitions``.
  init(now: @escaping @Sendable () -> UInt64 = { ConfirmedClock.elapsed() }) { self.now = now }

  func hold(until end: UInt64) { self.end.store(end, ordering: .releasing) }

  var isHeld: Bool { now() < end.load(ordering: .acquiring) }
}
