import RPC

/// Times every call of a server, and logs what went wrong inside a handler, which its caller does not get to see.
extension Timings: CallObserver {
  public func recorder(forPath path: String) -> (any CallRecorder)? {
    Self.isHousekeeping(path) ? nil : endpoint(.grpcMethod, String(path.drop { $0 == "/" }))
  }

  /// Probes, reflection and the collecting of timings itself would bury the work in the report.
  private static func isHousekeeping(_ path: String) -> Bool {
    path.hasPrefix("/grpc.") || path.hasPrefix("/omsconnector.internal.v1.TimingService/")
  }
}

extension Timings.Endpoint: CallRecorder {
  func callEnded(_ error: RPCError?, durationNanoseconds: UInt64) {
    record(failed: error != nil, nanoseconds: durationNanoseconds)
    guard let error, let cause = error.cause else { return }
    Log.error(
      "call failed",
      ["method": "\(name)", "status": "\(error.code)", "reason": "\(error.message)", "cause": LogValue(cause)])
  }
}
