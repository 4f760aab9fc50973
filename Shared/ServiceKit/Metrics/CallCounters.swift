import RPC
import Synchronization

/// What is counted of the calls, or attempts, of one method: how many began, and by status how long they took and how
/// large they were.
///
/// Each loop has counters of its own, so that counting takes no lock; those of a status are made when the loop sees it
/// first. Bounded: 17 statuses, some 600 bytes each, per method and loop.
final class CallCounters: Sendable {
  private let loops: [PerLoop]

  init(loops: Int) { self.loops = (0..<loops).map { _ in PerLoop() } }

  /// On the loop of that index, as is `ended`.
  func started(loopIndex: Int) { loops[loopIndex].started.add(1, at: 0) }

  func ended(_ code: StatusCode, nanoseconds: UInt64, messages: MessageCounts?, loopIndex: Int) {
    let counters = loops[loopIndex].counters(of: code)
    counters.add(1, at: BucketBounds.latency.index(of: nanoseconds))
    counters.add(nanoseconds, at: Layout.nanoseconds)
    guard let messages else { return }
    let (sent, received) = (UInt64(messages.sentBytes), UInt64(messages.receivedBytes))
    counters.add(1, at: Layout.sent + BucketBounds.size.index(of: sent))
    counters.add(sent, at: Layout.sentBytes)
    counters.add(1, at: Layout.received + BucketBounds.size.index(of: received))
    counters.add(received, at: Layout.receivedBytes)
  }

  /// Calls that began, those that have not ended among them.
  var startedCount: UInt64 { loops.reduce(0) { $0 &+ $1.started[0] } }

  /// By status, in the order of their numbers; those that did not occur are left out.
  func totals() -> [(code: StatusCode, totals: Totals)] {
    (0..<PerLoop.statusCount).compactMap { number in
      let found = loops.compactMap { $0.existing(number) }
      return found.isEmpty ? nil : (StatusCode(rawValue: number), Totals(found))
    }
  }

  /// The counters of all loops together.
  struct Totals {
    let durations: [UInt64]
    let nanoseconds: UInt64
    let sent: [UInt64]
    let sentBytes: UInt64
    let received: [UInt64]
    let receivedBytes: UInt64

    fileprivate init(_ counters: [LoopCounters]) {
      func sum(_ index: Int) -> UInt64 { counters.reduce(0) { $0 &+ $1[index] } }
      durations = (0..<BucketBounds.latency.count).map(sum)
      nanoseconds = sum(Layout.nanoseconds)
      sent = (0..<BucketBounds.size.count).map { sum(Layout.sent + $0) }
      sentBytes = sum(Layout.sentBytes)
      received = (0..<BucketBounds.size.count).map { sum(Layout.received + $0) }
      receivedBytes = sum(Layout.receivedBytes)
    }
  }

  /// Where what is, behind the buckets of the durations.
  private enum Layout {
    static let nanoseconds = BucketBounds.latency.count
    static let sent = nanoseconds + 1
    static let sentBytes = sent + BucketBounds.size.count
    static let received = sentBytes + 1
    static let receivedBytes = received + BucketBounds.size.count
    static let count = receivedBytes + 1
  }

  /// Sendable: a loop makes counters and any thread reads them, each through an atomic that is set once.
  private final class PerLoop: @unchecked Sendable {
    static let statusCount = 17

    let started = LoopCounters(count: 1)
    private let statuses: UnsafeMutablePointer<AtomicLazyReference<LoopCounters>>

    init() {
      statuses = .allocate(capacity: Self.statusCount)
      for index in 0..<Self.statusCount { (statuses + index).initialize(to: AtomicLazyReference()) }
    }

    deinit {
      statuses.deinitialize(count: Self.statusCount)
      statuses.deallocate()
    }

    func counters(of code: StatusCode) -> LoopCounters {
      statuses[code.rawValue].load() ?? statuses[code.rawValue].storeIfNil(LoopCounters(count: Layout.count))
    }

    func existing(_ number: Int) -> LoopCounters? { statuses[number].load() }
  }
}
