/// A key that a worker has.
public struct WorkItem: Sendable, Equatable {
  public let kind: String
  public let key: String
  /// Attempts before this one since it was last done.
  public let attempts: Int
  /// When it was first added since then; nanoseconds since 1970.
  public let addedAt: Int64
  let version: Int64
  let holder: String
}

/// A key that waits, for whoever looks.
public struct WaitingWork: Sendable, Equatable {
  public let key: String
  /// Nanoseconds since 1970.
  public let dueAt: Int64
  public let addedAt: Int64
  public let attempts: Int
  /// Whether it waits for an operator rather than for its time.
  public let isParked: Bool
  /// Why the last attempt ended without being done; empty before the first.
  public let reason: String
}
