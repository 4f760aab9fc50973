/// What a server does with one path.
///
/// Sendable: immutable; `pathBytes` is memory of its own.
final class Method: @unchecked Sendable {
  typealias AsyncHandler = @Sendable (ServerStream) async throws -> Void

  enum Handler: Sendable {
    /// Runs inside the read batch, on the connection's loop: the fastest there is. Must not block.
    case synchronous(@Sendable (UnsafeRawBufferPointer, ServerStream) throws -> Void)
    /// Passes the one request message on, when it is there.
    case forwarded(UnaryForwarder)
    /// Starts when the one request message is there.
    case unary(AsyncHandler)
    /// Starts with the request's headers.
    case streaming(AsyncHandler)
  }

  let path: String
  /// The path once more, for comparison with bytes from the wire.
  let pathBytes: UnsafeBufferPointer<UInt8>
  let handler: Handler
  /// Who is told of its calls, in order.
  let interceptors: [any MethodInterceptor]

  init(path: String, handler: Handler, interceptors: [any MethodInterceptor] = []) {
    self.path = path
    self.interceptors = interceptors
    let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: path.utf8.count)
    _ = bytes.initialize(from: path.utf8)
    pathBytes = UnsafeBufferPointer(bytes)
    self.handler = handler
  }

  deinit { pathBytes.deallocate() }
}
