import EventLoop
import Messages

/// A unary call, whatever it sends.
struct UnaryCall: Sendable {
  let path: String
  let idempotency: IdempotencyLevel
  let options: CallOptions
  /// Monotonic nanoseconds.
  let deadline: UInt64?
}

/// What a unary call sends, and what it makes of the answer. A type of its own for each way to do that, in place of two
/// closures, which would cost every call their memory.
protocol UnaryMessages: Sendable {
  associatedtype Response: Sendable

  /// Queues the request; again for every attempt.
  func write(to stream: ClientStream)
  /// Reads the response, whose bytes are valid during the call only.
  func read(_ bytes: UnsafeRawBufferPointer, from stream: ClientStream) throws(RPCError) -> Response
}

/// An attempt that has failed and is to be made again.
struct FailedAttempt: Sendable {
  let failure: RPCError
  let retries: RetryState
  let pauseNanoseconds: UInt64
}

extension Channel {
  /// One message out, one in.
  /// - Throws: `RPCError`.
  public func unary<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, _ request: Request, options: CallOptions = CallOptions()
  ) async throws -> Response {
    try await unaryReply(method, request, options: options).message
  }

  /// A unary call, made again as its method and the channel's policy allow.
  @inline(__always)
  func unary<Messages: UnaryMessages>(
    path: String, idempotency: IdempotencyLevel, options: CallOptions, _ messages: Messages
  ) async throws -> Reply<Messages.Response> {
    let deadline = options.timeout.map { EventLoop.monotonicNanoseconds() &+ $0.nanoseconds }
    return try await unary(
      UnaryCall(path: path, idempotency: idempotency, options: options, deadline: deadline), messages)
  }

  /// The short way is that of nearly all calls: from a task on a loop, over a connection that is ready, with an attempt that
  /// ends the call. It suspends once. (Each async function on the way costs its frame, and the runtime a look at where the
  /// task belongs when it returns: hence one function.)
  @inline(__always)
  func unary<Messages: UnaryMessages>(
    _ call: UnaryCall, _ messages: Messages
  ) async throws -> Reply<Messages.Response> {
    guard let balancer = currentBalancer else {
      return try await onLoop { balancer in
        try await self.attempts(call, messages, balancer, balancer.interceptors.watch(call.path), after: nil)
      }
    }
    let watch = balancer.interceptors.watch(call.path)
    guard !Task.isCancelled, let pick = balancer.nextReady() else {
      return try await attempts(call, messages, balancer, watch, after: nil)
    }
    let stream = newStream(call, balancer)
    let failure: RPCError
    do throws(RPCError) {
      try start(call, call.options.metadata, messages, pick, watch, stream)
      await stream.untilEnd()
      let reply = try stream.reply(messages)
      succeeded(balancer, watch)
      return reply
    } catch {
      failure = error
    }
    guard let failed = failedAttempt(call, failure, of: stream, before: nil) else {
      watch?.callEnded(failure, on: balancer.loop)
      throw failure
    }
    return try await attempts(call, messages, balancer, watch, after: failed)
  }

  /// Makes attempts until one ends the call. On the balancer's loop.
  /// - Parameters:
  ///   - watch: is told how the call ended.
  ///   - earlier: the one before; nil when there is none.
  func attempts<Messages: UnaryMessages>(
    _ call: UnaryCall, _ messages: Messages, _ balancer: Balancer, _ watch: ClientCallWatch?,
    after earlier: FailedAttempt?
  ) async throws -> Reply<Messages.Response> {
    do {
      var earlier = earlier
      var metadata = call.options.metadata
      while true {
        if let earlier {
          try await pause(after: earlier, on: balancer.loop)
          metadata.setPreviousAttempts(earlier.retries.previousAttempts)
        }
        let stream = newStream(call, balancer)
        let failure: RPCError
        do {
          let reply = try await attempt(call, metadata, messages, balancer, watch, stream)
          succeeded(balancer, watch)
          return reply
        } catch let error as RPCError {
          // With nothing to call the first attempt fails at once: the service is not there. So does one that has waited for it.
          let isFinal = earlier == nil || call.options.patience > .zero
          if isFinal && error.cause is NoConnection { throw error }
          failure = error
        }
        guard let failed = failedAttempt(call, failure, of: stream, before: earlier?.retries) else { throw failure }
        earlier = failed
      }
    } catch {
      watch?.callEnded(RPCError(thrown: error), on: balancer.loop)
      throw error
    }
  }

  private func attempt<Messages: UnaryMessages>(
    _ call: UnaryCall, _ metadata: Metadata, _ messages: Messages, _ balancer: Balancer, _ watch: ClientCallWatch?,
    _ stream: ClientStream
  ) async throws -> Reply<Messages.Response> {
    let pick = try await balancer.pick(
      deadline: call.deadline, waitForReady: call.options.waitForReady, patience: call.options.patience)
    // The task may have been cancelled while it waited: nothing is sent then.
    if Task.isCancelled { stream.cancel() }
    try start(call, metadata, messages, pick, watch, stream)
    await stream.untilEnd()
    return try stream.reply(messages)
  }

  private func newStream(_ call: UnaryCall, _ balancer: Balancer) -> ClientStream {
    let stream = ClientStream(loop: balancer.loop, messageLimit: options.messageLimit, isUnary: true)
    stream.encode(call.options)
    return stream
  }

  private func start(
    _ call: UnaryCall, _ metadata: Metadata, _ messages: some UnaryMessages, _ pick: Pick, _ watch: ClientCallWatch?,
    _ stream: ClientStream
  ) throws(RPCError) {
    stream.subchannel = pick.subchannel
    try pick.connection.open(stream, path: call.path, metadata: metadata, deadline: call.deadline)
    stream.begin(watch, endsCall: false)
    messages.write(to: stream)
    stream.finishSending()
  }

  private func succeeded(_ balancer: Balancer, _ watch: ClientCallWatch?) {
    retryBudget.callSucceeded()
    watch?.callEnded(nil, on: balancer.loop)
  }

  /// - Parameter retries: of the attempts before; nil before the first.
  /// - Returns: nil when the call may not be made again.
  func failedAttempt(
    _ call: UnaryCall, _ failure: RPCError, of stream: ClientStream, before retries: RetryState?
  ) -> FailedAttempt? {
    var retries =
      retries ?? RetryState(options.retry, isIdempotent: call.idempotency.allowsRetry, deadline: call.deadline)
    let summary = RetryState.Failure(
      code: failure.code, pushback: Pushback(failure),
      isUnseen: failure.code == .unavailable && stream.wasNotSeen && !(failure.cause is NoConnection),
      responseBegan: stream.responseBegan)
    var random = SystemRandomNumberGenerator()
    let decision = retries.next(
      after: summary, now: EventLoop.monotonicNanoseconds(), budget: retryBudget, random: &random)
    guard case .retry(let nanoseconds) = decision else { return nil }
    return FailedAttempt(failure: failure, retries: retries, pauseNanoseconds: nanoseconds)
  }

  /// Waits until the call may be made again.
  /// - Throws: CANCELLED when the caller does not want it any more.
  private func pause(after attempt: FailedAttempt, on loop: EventLoop) async throws {
    if attempt.pauseNanoseconds > 0 {
      await loop.sleep(for: .nanoseconds(Int64(clamping: attempt.pauseNanoseconds)))
    }
    guard !Task.isCancelled else {
      throw RPCError(.cancelled, "the call was cancelled before it was made again", cause: attempt.failure)
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

  /// Suspends until the call is over. Cancelling the caller's task ends it.
  @inline(__always)
  func untilEnd() async {
    await withTaskCancellationHandler {
      await withUnsafeContinuation { resumeAtEnd($0) }
    } onCancel: {
      loop.execute { self.cancel() }
    }
  }

  /// The one response of a call that is over.
  func reply<Messages: UnaryMessages>(_ messages: Messages) throws(RPCError) -> Channel.Reply<Messages.Response> {
    if let failure { throw failure }
    return Channel.Reply(
      message: try messages.read(oneMessage(), from: self), initialMetadata: initialMetadata,
      trailingMetadata: trailingMetadata, wasCompressed: compressedCount > 0, encoding: inboundEncoding)
  }

  /// - Throws: what is said of a call that succeeded without exactly one response.
  func oneMessage() throws(RPCError) -> UnsafeRawBufferPointer {
    // Which code it is says gRPC's `doc/statuscodes.md`.
    guard let bytes = try firstMessage() else {
      guard !inbound.isEmpty else { throw RPCError(.unimplemented, "the call succeeded without a response") }
      throw RPCError(.internalError, "the response ended after \(inbound.count) bytes of its message")
    }
    guard inbound.count == firstMessageCount else {
      throw RPCError(.unimplemented, "the call has more than one response")
    }
    return bytes
  }
}
