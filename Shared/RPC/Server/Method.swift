/// What a server does with one path.
final class Method: Sendable {
  typealias AsyncHandler = @Sendable (ServerStream) async throws -> Void

  enum Handler: Sendable {
    /// Runs inside the read batch, on the connection's loop: the fastest there is. Must not block.
    case synchronous(@Sendable (UnsafeRawBufferPointer, ServerStream) throws -> Void)
    /// Starts when the one request message is there.
    case unary(AsyncHandler)
    /// Starts with the request's headers.
    case streaming(AsyncHandler)
  }

  let path: String
  let pathBytes: [UInt8]
  let handler: Handler

  init(path: String, handler: Handler) {
    self.path = path
    pathBytes = Array(path.utf8)
    self.handler = handler
  }
}
