import RPC
import Storage

extension RPCError {
  /// The status for what a use case of the store throws. What only the operator can use goes to the log as the cause.
  ///
  /// - Parameter what: what could not be stored or read, e.g. `the stock`.
  public init(storing error: any Error, what: String) {
    switch error {
    case let error as RPCError: self = error
    case let error as StorageError: self.init(error, what)
    default: self.init(unexplained: error, what)
    }
  }

  private init(unexplained error: any Error, _ what: String) {
    self.init(.internalError, "\(what) could not be stored or read; the log has the reason", cause: error)
  }

  private init(_ error: StorageError, _ what: String) {
    switch error.kind {
    case .full:
      self.init(
        .resourceExhausted, [error.message, error.remedy].compactMap { $0 }.joined(separator: ": "),
        details: Self.mayPass("STORE_FULL", after: .seconds(5)), cause: error)
    case .overloaded:
      self.init(
        .resourceExhausted, "too many calls wait for the store; send it again later, fewer at a time",
        details: Self.mayPass("STORE_BUSY", after: .seconds(1)))
    case .locked:
      self.init(
        .unavailable, "the store is locked by another replica; send it again",
        details: Self.mayPass("STORE_LOCKED", after: .seconds(1)), cause: error)
    case .unavailable, .timedOut:
      self.init(
        .unavailable, "the store can't be reached or is overloaded; send it again",
        details: Self.mayPass("STORE_UNAVAILABLE", after: .seconds(5)), cause: error)
    case .outcomeUnknown:
      // What is sent again has its effect once: deliveries by their note, snapshots by the rule of time.
      self.init(
        .unavailable, "the connection to the store was lost, and \(what) may be stored or not; send it again",
        details: Self.mayPass("STORE_OUTCOME_UNKNOWN", after: .seconds(1)), cause: error)
    case .closed:
      self.init(
        .unavailable, "this replica is stopping; send it to another",
        details: Self.mayPass("REPLICA_STOPPING", after: .zero))
    case .constraint:
      self.init(unexplained: error, what)
    case .newerSchema, .cannotOpen, .corrupt, .other:
      // Not the request's fault: it may be sent again when somebody has mended the store.
      self.init(unexplained: error, what)
      details = Self.mayPass("STORE_FAILED", after: .seconds(5))
    }
  }

  /// For programs: why, and when to send the request again. The others pass by themselves; it takes somebody a while to free a
  /// disk, but who has done so waits to see it work, and to ask costs little.
  private static func mayPass(_ reason: String, after delay: Duration) -> [ErrorDetail] {
    [.errorInfo(reason: reason, domain: "omsconnector"), .retryInfo(delay)]
  }
}
