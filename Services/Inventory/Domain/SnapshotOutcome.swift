/// What a snapshot, or a stream of them, did. applied + stale + clamped + invalid is the number of rows.
struct SnapshotOutcome: Sendable, Equatable {
  /// Rows written as they stood.
  var applied = 0
  /// Rows older than what the store holds, whatever else could be said of them.
  var stale = 0
  /// Rows with a negative quantity, written as 0.
  var clamped = 0
  /// Rows without an effect because something is wrong with them.
  var invalid = 0
  /// SKUs that a NONZERO left out and so set to 0, those that were 0 already included. Not rows.
  var zeroed = 0
  /// The id under which the snapshot, or the zeroing that it asks for, waits for the operator; 0 for none.
  var heldID: Int64 = 0
  /// Whether nothing was applied, because the snapshot is from the future.
  var isFuture = false
  /// Whether the shop has to be told of something.
  var isToPush = false
  /// The first clamped rows, at most ``SnapshotLimits/reportedRows``.
  var clampedRows: [RowIssue] = []
  /// The first invalid rows, at most ``SnapshotLimits/reportedRows``.
  var invalidRows: [RowIssue] = []

  /// Adds what a later part did.
  mutating func add(_ other: SnapshotOutcome) {
    applied += other.applied
    stale += other.stale
    clamped += other.clamped
    invalid += other.invalid
    zeroed += other.zeroed
    heldID = max(heldID, other.heldID)
    isFuture = isFuture || other.isFuture
    isToPush = isToPush || other.isToPush
    clampedRows += other.clampedRows.prefix(SnapshotLimits.reportedRows - clampedRows.count)
    invalidRows += other.invalidRows.prefix(SnapshotLimits.reportedRows - invalidRows.count)
  }
}

/// What the store holds of one SKU in one aggregate.
struct Stock: Sendable, Equatable {
  let sku: String
  let aggregateId: String
  /// Never negative.
  let quantity: Int64
  let unlimited: Bool
  /// Of the snapshot that was applied last.
  let createdOn: CreatedOn
}
