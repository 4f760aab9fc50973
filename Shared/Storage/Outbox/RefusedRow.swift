/// A message that the gateway refused for good, and what became of it since.
public struct RefusedRow: Sendable, Equatable {
  /// What somebody has done about it. The numbers are those of `omsconnector.v1.RefusedMessageState`, and are stored.
  public enum State: Int64, Sendable {
    /// Nobody has done anything.
    case open = 1
    /// It went into the outbox again.
    case retried = 2
    case discarded = 3
  }

  /// The row that it was in the outbox.
  public let id: Int64
  /// As it was handed over.
  public let deliveryID: String
  public let method: String
  public let key: String
  public let route: OutboxRoute
  /// Of its body.
  public let bytes: Int64
  /// These and all times: nanoseconds since 1970.
  public let createdAt: Int64
  public let refusedAt: Int64
  /// The gateway's words.
  public let reason: String
  /// nil when a newer version has written it.
  public let state: State?
  /// Who retried or discarded it; empty before.
  public let handledBy: String
  public let handledAt: Int64?
  /// The new delivery id of one that was retried, the reason of one that was discarded.
  public let outcome: String
}
