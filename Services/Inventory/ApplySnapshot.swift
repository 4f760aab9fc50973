import Storage

/// Applies snapshots to the store.
struct ApplySnapshot: Sendable {
  let store: StockStore

  /// Applies one; returns when it is durable.
  ///
  /// - Throws: ``StorageError``; nothing of the snapshot was applied then.
  func callAsFunction(_ snapshot: StockSnapshot) async throws -> SnapshotOutcome {
    try await store.enqueue(snapshot).value()
  }

  /// For the parts of a stream.
  func pipeline() -> SnapshotPipeline { SnapshotPipeline(store: store) }
}

/// Applies a stream of snapshots in their order. While the store commits one, the next are read and checked; how far
/// that may run ahead is bounded, so that a stream of any length needs the memory of a few parts.
struct SnapshotPipeline {
  /// Rows that may be on their way to the store: as many as in four of the largest parts.
  static let maximumRowsInFlight = 4 * SnapshotLimits.rows
  /// Parts that may be on their way; small ones share a commit.
  static let maximumPartsInFlight = 512

  private let store: StockStore
  private var inFlight: [(part: PendingResult<SnapshotOutcome>, rows: Int)] = []
  private var rowsInFlight = 0
  private var total = SnapshotOutcome()
  /// Parts that are durable, all of them before those that aren't yet.
  private(set) var durableParts = 0

  init(store: StockStore) { self.store = store }

  /// Hands the next part to the store, once there is room.
  ///
  /// - Throws: ``SnapshotPipelineError`` when the store failed, possibly for an earlier part. Nothing more can be added
  ///   then.
  mutating func add(_ snapshot: StockSnapshot) async throws(SnapshotPipelineError) {
    let rows = snapshot.rows.count
    while let oldest = inFlight.first,
      inFlight.count >= Self.maximumPartsInFlight || rowsInFlight + rows > Self.maximumRowsInFlight
    {
      inFlight.removeFirst()
      try await finish(oldest)
    }
    do throws(StorageError) {
      inFlight.append((try store.enqueue(snapshot), rows))
    } catch {
      let part = durableParts + inFlight.count + 1
      try await drain()
      throw SnapshotPipelineError(part: part, cause: error)
    }
    rowsInFlight += rows
  }

  /// Waits for everything that was added.
  ///
  /// - Returns: what all parts did.
  /// - Throws: ``SnapshotPipelineError`` for the first part that failed; those before it are durable.
  @discardableResult
  mutating func drain() async throws(SnapshotPipelineError) -> SnapshotOutcome {
    let waiting = inFlight
    inFlight = []
    for part in waiting { try await finish(part) }
    return total
  }

  private mutating func finish(
    _ part: (part: PendingResult<SnapshotOutcome>, rows: Int)
  ) async throws(SnapshotPipelineError) {
    do {
      total.add(try await part.part.value())
    } catch {
      throw SnapshotPipelineError(part: durableParts + 1, cause: error)
    }
    rowsInFlight -= part.rows
    durableParts += 1
  }
}

/// The store failed on a part. The parts before it are durable; those behind it may be, which does no harm when the
/// stream is sent again.
struct SnapshotPipelineError: Error {
  /// From 1.
  let part: Int
  let cause: any Error
}
