import EventLoop
import Storage

/// Which partitions of the journal this gateway delivers from, and until when it may.
final class HeldPartitions: Sendable {
  private struct State {
    /// By partition, in nanoseconds of the clock; 0 for one that is not held.
    var ends: [UInt64]
    var isStopping = false
  }

  /// Of a gateway that works alone.
  static let all = HeldPartitions()

  /// All are held for ever.
  private let hasAll: Bool
  private let state: Lock<State>
  private let now: @Sendable () -> UInt64

  private init() {
    hasAll = true
    state = Lock(State(ends: []))
    now = { 0 }
  }

  /// None of them.
  ///
  /// - Parameter now: a clock that nobody sets and that goes on while the machine sleeps, in nanoseconds: others don't sleep.
  init(_ partitions: Range<Int>, now: @escaping @Sendable () -> UInt64 = { ConfirmedClock.elapsed() }) {
    hasAll = false
    state = Lock(State(ends: partitions.map { _ in 0 }))
    self.now = now
  }

  /// A partition is this gateway's until then, or until ``end(_:)``.
  func hold(_ partition: Int, until end: UInt64) {
    if !hasAll { state.withLock { $0.ends[partition] = end } }
  }

  func end(_ partition: Int) { hold(partition, until: 0) }

  /// Nobody is to wait for what another gateway does any more.
  func stop() { state.withLock { $0.isStopping = true } }

  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Whether dispatchers are at work on it here.
  func isHeld(_ partition: Int) -> Bool { hasAll || state.withLock { $0.ends[partition] > 0 } }

  /// Why nothing of a partition may be tried now; nil when something may. What another gateway may have by now is left alone, also
  /// when nobody could be asked.
  func heldBack(_ partition: Int) -> String? {
    if hasAll { return nil }
    let end = state.withLock { $0.ends[partition] }
    if end == 0 { return "another gateway delivers the messages of partition \(partition)" }
    if now() < end { return nil }
    return
      "the gateway can't renew its lease on partition \(partition) of the journal: messages wait until it has it again, or "
      + "another gateway"
  }
}
