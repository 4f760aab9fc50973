enum HeldReason: Int64, Sendable {
  case future = 1
  case manyZeros = 2
}

/// A snapshot that waits for the operator, or the zeroing that one asks for: all but its body, which may have megabytes.
struct HeldSnapshot: Sendable, Equatable {
  let id: Int64
  let aggregateId: String
  let mode: SnapshotMode
  let createdOn: CreatedOn
  let reason: HeldReason
  /// In words, with figures.
  let explanation: String
  let skus: Int64
  let zeros: Int64
  /// Nanoseconds since 1970.
  let heldAt: Int64
}
