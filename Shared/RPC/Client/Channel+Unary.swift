import EventLoop
import Messages

extension Channel {
  /// One message out, one in.
  /// - Throws: `RPCError`.
  public func unary<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, _ request: Request, options: CallOptions = CallOptions()
  ) async throws -> Response {
    try await unaryReply(method, request, options: options).message
  }

  /// A unary call, made again as its method allows.
  func unary<Response: Sendable>(
    path: String, idempotency: IdempotencyLevel, options: CallOptions,
    write: @escaping @Sendable (ClientStream) -> Void,
    read: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Response
  ) async throws -> Reply<Response> {
    let deadline = options.timeout.map { EventLoop.monotonicNanoseconds() &+ $0.nanoseconds }
    return try await onCall(path, endsWithBody: true) { balancer, watch in
      var attempt = 1
      while true {
        let connection = try await balancer.connection(deadline: deadline, waitForReady: options.waitForReady)
        let stream = ClientStream(loop: balancer.loop, messageLimit: self.options.messageLimit, isUnary: true)
        do {
          return try await withTaskCancellationHandler {
            try connection.open(stream, path: path, metadata: options.metadata, deadline: deadline)
            stream.begin(watch, endsCall: false)
            write(stream)
            stream.finishSending()
            return try await stream.reply(read)
          } onCancel: {
            stream.loop.execute { stream.cancel() }
          }
        } catch let error as RPCError {
          let mayMove =
            idempotency.allowsRetry && error.code == .unavailable || stream.wasNotProcessed || stream.id == 0
          guard mayMove, error.code == .unavailable, attempt < self.options.attemptLimit, !Task.isCancelled else {
            throw error
          }
        }
        // The next replica at once; from then on with a pause that doubles, as all of them seem to be in trouble.
        if attempt > 1 { await balancer.loop.sleep(for: Channel.pause(before: attempt)) }
        attempt += 1
      }
    }
  }

  private static func pause(before attempt: Int) -> Duration {
    let longest = 25.0 * Double(1 << min(attempt, 6))
    return .microseconds(Int64(Double.random(in: 0.5...1) * longest * 1000))
  }
}

extension ClientStream {
  /// The one response, once the call has ended.
  func reply<Response: Sendable>(
    _ read: @Sendable (UnsafeRawBufferPointer) throws -> Response
  ) async throws -> Channel.Reply<Response> {
    try await end()
    guard let bytes = try firstMessage() else {
      throw RPCError(.internalError, "the call succeeded without a response")
    }
    guard inbound.count == MessagePrefix.byteCount + bytes.count else {
      throw RPCError(.internalError, "the call has more than one response")
    }
    return Channel.Reply(
      message: try read(bytes), initialMetadata: initialMetadata, trailingMetadata: trailingMetadata)
  }
}
