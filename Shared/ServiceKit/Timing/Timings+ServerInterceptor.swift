import RPC

/// Times every call of a server.
extension Timings: ServerInterceptor {
  public func interceptor(forPath path: String) -> (any MethodInterceptor)? {
    Self.isHousekeeping(path) ? nil : endpoint(.grpcMethod, String(path.drop { $0 == "/" }))
  }

  /// Probes, reflection, the collecting of timings itself and the gateway's asking what is consumed and what is in the outbox
  /// would bury the work in the report; so would names that a client made up.
  private static func isHousekeeping(_ path: String) -> Bool {
    path.isEmpty || path.hasPrefix("/grpc.") || path.hasPrefix("/omsconnector.internal.v1.TimingService/")
      || path == "/omsconnector.internal.v1.MessageConsumerService/ListMethods"
      || path == "/omsconnector.internal.v1.OutboxService/GetOutbox"
  }
}

extension Timings.Endpoint: MethodInterceptor {
  func callEnded(_ summary: CallSummary) {
    record(
      failed: summary.error != nil, nanoseconds: summary.durationNanoseconds, loopIndex: summary.context.loopIndex)
  }
}
