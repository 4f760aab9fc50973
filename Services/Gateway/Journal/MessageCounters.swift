import EventLoop

/// How many messages came to an end since the gateway started, by direction and by what they were then. One that is replayed comes
/// to another.
final class MessageCounters: Sendable {
  static let directions: [MessageDirection] = [.incoming, .outgoing]
  static let statuses: [MessageStatus] = [.success, .ignored, .error, .dead]

  private struct End: Hashable {
    let direction: MessageDirection
    let status: MessageStatus
  }

  private let counts = Lock<[End: UInt64]>([:])

  func add(_ direction: MessageDirection, _ status: MessageStatus, count: Int = 1) {
    guard count > 0 else { return }
    counts.withLock { $0[End(direction: direction, status: status), default: 0] &+= UInt64(count) }
  }

  func count(_ direction: MessageDirection, _ status: MessageStatus) -> UInt64 {
    counts.withLock { $0[End(direction: direction, status: status)] ?? 0 }
  }
}
