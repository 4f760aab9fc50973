import Synchronization

/// Whether a connection to the store's server was lost while it committed. What was committed then may appear behind messages that
/// came after it, and that a dispatcher has read already; a gateway that starts reads all from the beginning.
final class UnknownCommits: Sendable {
  private let hasHappened = Atomic(false)

  var exist: Bool { hasHappened.load(ordering: .acquiring) }
  func note() { hasHappened.store(true, ordering: .releasing) }
}
