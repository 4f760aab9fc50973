import RPC
import Storage

extension RPCError {
  /// The status for whatever the use cases throw. What only the operator can use goes to the log as the cause.
  init(inventory error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as SnapshotError: self.init(.invalidArgument, error.description)
    case let error as StorageError: self.init(storage: error)
    default: self.init(.internalError, "the stock could not be stored or read; the log has the reason", cause: error)
    }
  }

  private init(storage error: StorageError) {
    switch error.kind {
    case .full:
      self.init(
        .resourceExhausted, [error.message, error.remedy].compactMap { $0 }.joined(separator: ": "), cause: error)
    case .overloaded:
      self.init(.resourceExhausted, "too many calls wait for the store; send it again later, fewer at a time")
    case .locked:
      self.init(.unavailable, "the store is locked by another replica; send it again", cause: error)
    case .closed:
      self.init(.unavailable, "this replica is stopping; send it to another")
    case .newerSchema, .cannotOpen, .constraint, .corrupt, .other:
      self.init(.internalError, "the stock could not be stored or read; the log has the reason", cause: error)
    }
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
