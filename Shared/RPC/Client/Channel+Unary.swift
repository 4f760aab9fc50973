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

  /// A unary call, made again as its method and the channel's policy allow.
  func unary<Response: Sendable>(
    path: String, idempotency: IdempotencyLevel, options: CallOptions,
    write: @escaping @Sendable (ClientStream) -> Void,
    read: @escaping @Sendable (UnsafeRawBufferPointer, ClientStream) throws -> Response
  ) async throws -> Reply<Response> {
    let deadline = options.timeout.map { EventLoop.monotonicNanoseconds() &+ $0.nanoseconds }
    return try await onCall(path, endsWithBody: true) { balancer, watch in
      var metadata = options.metadata
      var retries: RetryState?
      while true {
        let stream = ClientStream(loop: balancer.loop, messageLimit: self.options.messageLimit, isUnary: true)
        stream.encode(options)
        let failure: RPCError
        do {
          let pick = try await balancer.pick(deadline: deadline, waitForReady: options.waitForReady)
          stream.subchannel = pick.subchannel
          let reply = try await withTaskCancellationHandler {
            try pick.connection.open(stream, path: path, metadata: metadata, deadline: deadline)
            stream.begin(watch, endsCall: false)
            write(stream)
            stream.finishSending()
            return try await stream.reply(read)
          } onCancel: {
            stream.loop.execute { stream.cancel() }
          }
          self.retryBudget.callSucceeded()
          return reply
        } catch let error as RPCError {
          // With nothing to call the first attempt fails at once: the service is not there.
          guard retries != nil || !(error.cause is NoConnection) else { throw error }
          failure = error
        }
        var state =
          retries
          ?? RetryState(self.options.retry, isIdempotent: idempotency.allowsRetry, deadline: deadline)
        try await self.pause(&state, after: failure, of: stream)
        retries = state
        metadata.setPreviousAttempts(state.previousAttempts)
      }
    }
  }

  /// Waits until the call may be made again.
  /// - Throws: `failure` when it may not be; CANCELLED when the caller does not want it any more.
  private func pause(_ state: inout RetryState, after failure: RPCError, of stream: ClientStream) async throws {
    let summary = RetryState.Failure(
      code: failure.code, pushback: Pushback(failure),
      isUnseen: failure.code == .unavailable && stream.wasNotSeen && !(failure.cause is NoConnection),
      responseBegan: stream.responseBegan)
    var random = SystemRandomNumberGenerator()
    let decision = state.next(
      after: summary, now: EventLoop.monotonicNanoseconds(), budget: retryBudget, random: &random)
    guard case .retry(let nanoseconds) = decision else { throw failure }
    if nanoseconds > 0 { await stream.loop.sleep(for: .nanoseconds(Int64(clamping: nanoseconds))) }
    guard !Task.isCancelled else {
      throw RPCError(.cancelled, "the call was cancelled before it was made again", cause: failure)
    }
  }
}

extension Metadata {
  /// - Parameter count: 0 leaves what is there.
  fileprivate mutating func setPreviousAttempts(_ count: Int) {
    guard count > 0 else { return }
    removeAll(named: Metadata.previousAttempts)
    append(Metadata.previousAttempts, String(count))
  }
}

extension ClientStream {
  /// No server has looked at the call: it was refused unread, or never sent.
  fileprivate var wasNotSeen: Bool { wasNotProcessed || id == 0 }

  /// The one response, once the call has ended.
  func reply<Response: Sendable>(
    _ read: @Sendable (UnsafeRawBufferPointer, ClientStream) throws -> Response
  ) async throws -> Channel.Reply<Response> {
    try await end()
    // Which code it is says gRPC's `doc/statuscodes.md`.
    guard let bytes = try firstMessage() else {
      guard !inbound.isEmpty else { throw RPCError(.unimplemented, "the call succeeded without a response") }
      throw RPCError(.internalError, "the response ended after \(inbound.count) bytes of its message")
    }
    guard inbound.count == firstMessageCount else {
      throw RPCError(.unimplemented, "the call has more than one response")
    }
    return Channel.Reply(
      message: try read(bytes, self), initialMetadata: initialMetadata, trailingMetadata: trailingMetadata,
      wasCompressed: compressedCount > 0, encoding: inboundEncoding)
  }
}
