import EventLoop
import Storage

/// Goes through the journal in pieces, so that no reading thread is kept for long, however little a filter finds: what is searched at
/// once grows while that is quick and shrinks when it is slow.
struct JournalSearch: Sendable {
  /// Numbers at once, to begin with: of a partition, they follow each other; of several, they are times, and this is some minutes.
  static func firstPiece(partitions: Int) -> Int64 { partitions == 1 ? 20_000 : 1 << 32 }
  private static let quick = Duration.milliseconds(20)
  private static let slow = Duration.milliseconds(100)

  let store: JournalStore
  let filter: JournalFilter
  let newestFirst: Bool
  private var piece: Int64
  /// What is left to search; nil when nothing is.
  private(set) var rest: ClosedRange<Int64>?

  init(_ store: JournalStore, _ filter: JournalFilter, newestFirst: Bool, in range: ClosedRange<Int64>?) {
    self.store = store
    self.filter = filter
    self.newestFirst = newestFirst
    piece = Self.firstPiece(partitions: store.partitions.count)
    rest = range
  }

  /// The next messages, at most `limit`; none may be found although something is left.
  mutating func next(limit: Int) async throws -> [JournalMessage] {
    guard let rest else { return [] }
    let window =
      newestFirst
      ? max(rest.lowerBound, rest.upperBound - piece + 1)...rest.upperBound
      : rest.lowerBound...min(rest.upperBound, rest.lowerBound + piece - 1)
    let start = EventLoop.monotonicNanoseconds()
    let found = try await store.messages(filter, in: window, newestFirst: newestFirst, limit: limit)
    let duration = Duration.nanoseconds(Int64(EventLoop.monotonicNanoseconds() - start))
    if duration < Self.quick { piece = min(piece * 4, 1 << 50) }
    if duration > Self.slow { piece = max(piece / 4, 100) }
    let end = newestFirst ? window.lowerBound : window.upperBound
    leave(behind: found.count < limit ? end : found.last?.id ?? end)
    return found
  }

  private mutating func leave(behind id: Int64) {
    guard let rest else { return }
    if newestFirst {
      self.rest = id <= rest.lowerBound ? nil : rest.lowerBound...(id - 1)
    } else {
      self.rest = id >= rest.upperBound ? nil : (id + 1)...rest.upperBound
    }
  }
}
