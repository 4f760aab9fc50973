import EventLoop

/// Order statuses that the shop does not have, or does not take. Asked for again after a while, or at the next start: somebody may
/// have made them.
final class RefusedStatuses: Sendable {
  static let shared = RefusedStatuses()
  static let forgottenAfter: UInt64 = 600 * 1_000_000_000

  private let refused = Lock<[String: UInt64]>([:])

  var all: Set<String> {
    let now = EventLoop.monotonicNanoseconds()
    return refused.withLock { Set($0.filter { now < $0.value }.keys) }
  }

  /// - Returns: whether that is news.
  func insert(_ status: String) -> Bool {
    refused.withLock { $0.updateValue(EventLoop.monotonicNanoseconds() + Self.forgottenAfter, forKey: status) == nil }
  }
}
