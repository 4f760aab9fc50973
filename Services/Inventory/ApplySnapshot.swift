import Messages
import ServiceKit
import Storage

/// Applies snapshots to the store.
struct ApplySnapshot: Sendable {
  let store: StockStore
  /// Told when there is something for the shop.
  var pushing: @Sendable () -> Void = {}

  /// Applies one; returns when it is durable.
  ///
  /// - Throws: ``StorageError``, or ``SnapshotHeld``; nothing of the snapshot was applied then.
  func callAsFunction(_ snapshot: StockSnapshot) async throws -> SnapshotOutcome {
    let outcome = try await store.enqueue(snapshot).value()
    if outcome.isFuture { throw SnapshotHeld(snapshot.head, id: outcome.heldID) }
    outcome.log(of: snapshot.aggregateId)
    if outcome.isToPush { pushing() }
    return outcome
  }

  /// For the parts of a stream.
  func pipeline() -> SnapshotPipeline { SnapshotPipeline(store: store, pushing: pushing) }
}

/// A snapshot waits for the operator instead of being applied, because it is from the future.
///
/// A caller is told, unlike the OMS: it can correct its clock and send again. What it sent is kept all the same, once, for an
/// operator who knows better.
struct SnapshotHeld: Error, CustomStringConvertible {
  let head: StockSnapshot.Head
  let id: Int64

  init(_ head: StockSnapshot.Head, id: Int64) { (self.head, self.id) = (head, id) }

  var description: String {
    "snapshot \(quotable(head.aggregateId)): created_on \(Google.Protobuf.Timestamp(head.createdOn).text) is more than "
      + "\(HeldSnapshots.longestAhead / 60_000_000_000) minutes ahead; it waits for the operator as \(id): see omsctl stock held"
  }
}

extension SnapshotOutcome {
  /// Says what waits for the operator.
  func log(of aggregateId: String, deliveryID: String? = nil) {
    guard heldID != 0 else { return }
    Log.error(
      isFuture
        ? "a snapshot from the future waits for the operator; see omsctl stock held"
        : "a NONZERO would set more than a fifth of the SKUs to 0, which waits for the operator; see omsctl stock held",
      [
        "held": LogValue(heldID), "aggregate_id": "\(quotable(aggregateId))",
        "delivery_id": .deliveryID(deliveryID ?? ""),
      ])
  }
}

/// Applies a stream of snapshots in their order. While the store commits one, the next are read and checked; how far
/// that may run ahead is bounded, so that a stream of any length needs the memory of a few parts.
struct SnapshotPipeline {
  /// Rows that may be on their way to the store: as many as in four of the largest parts.
  static let maximumRowsInFlight = 4 * SnapshotLimits.rows
  /// Parts that may be on their way; small ones share a commit.
  static let maximumPartsInFlight = 512

  private let store: StockStore
  private let pushing: @Sendable () -> Void
  private var inFlight: [(part: PendingResult<SnapshotOutcome>, head: StockSnapshot.Head, rows: Int)] = []
  private var rowsInFlight = 0
  private var total = SnapshotOutcome()
  /// Parts that are durable, all of them before those that aren't yet.
  private(set) var durableParts = 0

  init(store: StockStore, pushing: @escaping @Sendable () -> Void) {
    self.store = store
    self.pushing = pushing
  }

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
      inFlight.append((try store.enqueue(snapshot), snapshot.head, rows))
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
    _ part: (part: PendingResult<SnapshotOutcome>, head: StockSnapshot.Head, rows: Int)
  ) async throws(SnapshotPipelineError) {
    let outcome: SnapshotOutcome
    do {
      outcome = try await part.part.value()
    } catch {
      throw SnapshotPipelineError(part: durableParts + 1, cause: error)
    }
    if outcome.isFuture {
      throw SnapshotPipelineError(part: durableParts + 1, cause: SnapshotHeld(part.head, id: outcome.heldID))
    }
    outcome.log(of: part.head.aggregateId)
    if outcome.isToPush { pushing() }
    total.add(outcome)
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
