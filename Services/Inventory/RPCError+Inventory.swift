import RPC
import ServiceKit
import Storage

extension RPCError {
  /// The status for whatever the use cases throw. What only the operator can use goes to the log as the cause.
  init(inventory error: any Error) {
    switch error {
    case let error as RPCError: self = error
    case let error as SnapshotError: self = .invalid(field: error.field, error.description)
    case let error as SnapshotHeld:
      self.init(
        .failedPrecondition, error.description,
        details: [.errorInfo(reason: "SNAPSHOT_HELD", domain: "omsconnector", metadata: ["held_id": "\(error.id)"])])
    case is RequestIDReused:
      self.init(
        .alreadyExists, "request_id was used for another request; send each request under an id of its own",
        details: [.errorInfo(reason: "REQUEST_ID_REUSED", domain: "omsconnector")])
    default: self.init(storing: error, what: "the stock")
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
