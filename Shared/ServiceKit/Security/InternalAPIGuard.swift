import RPC

/// `omsconnector.internal.v1` is for the connector's own processes: it answers over the Unix socket, whose peers the system
/// vouches for, and to clients with a certificate.
struct InternalAPIGuard: ServerInterceptor, MethodInterceptor {
  private static let prefix = "/omsconnector.internal."

  func interceptor(forPath path: String) -> (any MethodInterceptor)? { path.hasPrefix(Self.prefix) ? self : nil }

  func callStarted(_ context: ServerContext) throws(RPCError) {
    guard context.peer.isTrusted else {
      throw RPCError(
        .permissionDenied,
        "\(context.path) is internal: call it over the service's Unix socket, or over mutual TLS (TLS_CLIENT_CA_FILE)")
    }
  }
}
