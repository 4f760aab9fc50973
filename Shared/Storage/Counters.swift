import Synchronization

/// What a ``Database`` has done since it was opened.
final class Counters: Sendable {
  let commits = Atomic<Int>(0)
}
