import EventLoop
import Storage

/// Lets the gateway take what is in the outbox before more comes: a catalog is larger than what anybody wants to wait behind, and
/// what waits takes room on the disk.
struct OutboxRoom: Sendable {
  /// Messages that may wait when a batch is added.
  static let limit = CatalogRules.batch
  private static let look = Duration.milliseconds(100)

  let store: CatalogStore
  let loop: EventLoop

  /// Returns when there is room for a batch.
  ///
  /// - Parameters:
  ///   - patience: so long it may take before `late` is told what waits.
  ///   - late: told once.
  func wait(
    patience: Duration = .seconds(5), late: (Outbox.Depth) async throws -> Void = { _ in }
  ) async throws {
    var waited = Duration.zero
    while true {
      try Task.checkCancellation()
      let store = store
      let depth = try await store.database.read { try store.outbox.depth($0) }
      if depth.waiting <= Self.limit { return }
      if waited < patience, waited + Self.look >= patience { try await late(depth) }
      waited += Self.look
      await loop.sleep(for: Self.look)
    }
  }
}
