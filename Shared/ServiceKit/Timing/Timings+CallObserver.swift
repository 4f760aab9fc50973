import RPC

/// Times every call of a server, and logs what went wrong inside a handler, which its caller does not get to see.
extension Timings: CallObserver {
  public func callEnded(path: String, code: StatusCode, durationNanoseconds: UInt64) {
    guard !Self.isHousekeeping(path) else { return }
    record(.grpcMethod, path, code != .ok, durationNanoseconds)
  }

  public func callFailed(path: String, error: RPCError) {
    let cause = error.cause.map { String(describing: $0) } ?? ""
    Log.error(
      "call failed", ["path": "\(path)", "status": "\(error.code)", "reason": "\(error.message)", "cause": "\(cause)"])
  }

  /// Probes, reflection and the collecting of timings itself would bury the work in the report.
  private static func isHousekeeping(_ path: String) -> Bool {
    path.utf8.starts(with: "/grpc.".utf8) || path.utf8.starts(with: "/omsconnector.internal.v1.TimingService/".utf8)
  }
}
