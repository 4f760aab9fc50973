import RPC
import Storage

extension RPCError {
  /// The status for whatever the use cases throw. What only the operator can use goes to the log as the cause.
  init(inventory error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as SnapshotError: self = .invalid(field: error.field, error.description)
    case let error as StorageError: self.init(storage: error)
    default: self.init(.internalError, "the stock could not be stored or read; the log has the reason", cause: error)
    }
  }

  private init(storage error: StorageError) {
    switch error.kind {
    case .full:
      self.init(
        .resourceExhausted, [error.message, error.remedy].compactMap { $0 }.joined(separator: ": "),
        details: Self.mayPass("STORE_FULL", after: .seconds(60)), cause: error)
    case .overloaded:
      self.init(
        .resourceExhausted, "too many calls wait for the store; send it again later, fewer at a time",
        details: Self.mayPass("STORE_BUSY", after: .seconds(1)))
    case .locked:
      self.init(
        .unavailable, "the store is locked by another replica; send it again",
        details: Self.mayPass("STORE_LOCKED", after: .seconds(1)), cause: error)
    case .closed:
      self.init(
        .unavailable, "this replica is stopping; send it to another",
        details: Self.mayPass("REPLICA_STOPPING", after: .zero))
    case .newerSchema, .cannotOpen, .constraint, .corrupt, .other:
      self.init(.internalError, "the stock could not be stored or read; the log has the reason", cause: error)
    }
  }

  /// For programs: why, and when to send the request again. It takes somebody a while to free a disk; the others pass.
  private static func mayPass(_ reason: String, after delay: Duration) -> [ErrorDetail] {
    [.errorInfo(reason: reason, domain: "omsconnector"), .retryInfo(delay)]
  }

  /// The same status for one part of a stream, with what has become of the others.
  init(part: Int, durableParts: Int, error: any Error) {
    self.init(inventory: error)
    let durable =
      switch durableParts {
      case 0: "no part before it was applied"
      case 1: "part 1 is applied and stays"
      default: "parts 1 to \(durableParts) are applied and stay"
      }
    message = "part \(part): \(message); \(durable)"
  }
}
