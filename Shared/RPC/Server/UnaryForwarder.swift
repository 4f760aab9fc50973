import EventLoop

/// Passes the unary calls of one method on, without a task or a look into what passes: the request's bytes go from one
/// connection's queue to the other's on the loop that both are on, and the stream that the answer comes on tells the one
/// that waits for it.
///
/// That is for the case that nearly always is: a connection is ready, and the first attempt ends the call. A call that has
/// to wait for a connection, or is made again, goes on in a task of its own, with what is known of its first attempt: the
/// rules for that are in `Channel` once.
final class UnaryForwarder: Sendable {
  private let service: String
  private let path: String
  private let idempotency: IdempotencyLevel
  private let channel: Channel

  init(_ method: ForwardedMethod, to channel: Channel) {
    service = method.service
    path = "/\(method.service)/\(method.method)"
    idempotency = method.idempotency
    self.channel = channel
  }

  /// Begins with a call whose one request message is there.
  func forward(_ downstream: ServerStream) {
    downstream.passesCompressed = true
    do throws(RPCError) {
      _ = try downstream.takenMessage()
    } catch {
      return downstream.finish(error)
    }
    downstream.acceptFirstMessage()
    let call = call(downstream)
    guard let balancer = channel.currentBalancer, let pick = balancer.nextReady() else {
      let channel = channel
      return runTask(downstream) { try await channel.unary(call, $0) }
    }
    let upstream = ClientStream(loop: downstream.loop, messageLimit: channel.options.messageLimit, isUnary: true)
    upstream.encode(call.options)
    upstream.subchannel = pick.subchannel
    let watch = balancer.interceptors.watch(path)
    upstream.forwarded = ForwardedCall(forwarder: self, downstream: downstream, balancer: balancer, watch: watch)
    downstream.upstream = upstream
    do throws(RPCError) {
      try pick.connection.open(upstream, path: path, metadata: call.options.metadata, deadline: call.deadline)
    } catch {
      return ended(upstream, error)
    }
    upstream.begin(watch, endsCall: false)
    upstream.enqueueFirstMessage(of: downstream)
    upstream.finishSending()
  }

  private func call(_ downstream: ServerStream) -> UnaryCall {
    UnaryCall(
      path: path, idempotency: idempotency, options: CallOptions(forwarding: downstream),
      deadline: downstream.deadline)
  }

  /// The one attempt is over, for whatever reason: nil for OK.
  func ended(_ upstream: ClientStream, _ error: RPCError?) {
    guard let call = upstream.forwarded else { return }
    upstream.forwarded = nil
    let downstream = call.downstream
    downstream.upstream = nil
    var error = error
    if error == nil {
      do throws(RPCError) { _ = try upstream.oneMessage() } catch let problem { error = problem }
    }
    if let error { return failed(upstream, call, error) }
    channel.retryBudget.callSucceeded()
    call.watch?.callEnded(nil, on: downstream.loop)
    if upstream.inboundEncoding == .gzip { downstream.outboundEncoding = .gzip }
    if !upstream.initialMetadata.isEmpty { downstream.initialMetadata = upstream.initialMetadata }
    if !upstream.trailingMetadata.isEmpty { downstream.trailingMetadata = upstream.trailingMetadata }
    downstream.enqueueFirstMessage(of: upstream)
    downstream.dropInbound()
    downstream.finish(nil)
  }

  private func failed(_ upstream: ClientStream, _ forwarded: ForwardedCall, _ error: RPCError) {
    let downstream = forwarded.downstream
    let call = call(downstream)
    if let failed = channel.failedAttempt(call, error, of: upstream, before: nil), !downstream.isFinished {
      let channel = channel
      return runTask(downstream) {
        try await channel.attempts(call, $0, forwarded.balancer, forwarded.watch, after: failed)
      }
    }
    forwarded.watch?.callEnded(error, on: downstream.loop)
    // A client that does not read keeps the stream open: it need not hold the request, too.
    downstream.dropInbound()
    downstream.finish(error)
  }

  /// Goes on in a task, which `body` calls the channel from.
  private func runTask(
    _ downstream: ServerStream,
    _ body: @escaping @Sendable (WireMessages) async throws -> Channel.Reply<WireMessage>
  ) {
    let messages = WireMessages(request: downstream.wireMessage())
    downstream.dropInbound()
    downstream.run { [service] downstream in
      let reply = try await withoutAddresses(of: service) { try await body(messages) }
      let context = ServerContext(stream: downstream)
      if reply.encoding == .gzip { downstream.outboundEncoding = .gzip }
      context.setInitialMetadata(reply.initialMetadata)
      context.setTrailingMetadata(reply.trailingMetadata)
      downstream.respond(reply.message)
    }
  }
}

/// What the end of a forwarded call's attempt leads to. The two streams hold each other until then.
struct ForwardedCall {
  let forwarder: UnaryForwarder
  let downstream: ServerStream
  let balancer: Balancer
  let watch: ClientCallWatch?
}

/// A request and a response that nobody looks into.
struct WireMessages: UnaryMessages {
  let request: WireMessage

  func write(to stream: ClientStream) { stream.enqueue(request) }
  func read(_ bytes: UnsafeRawBufferPointer, from stream: ClientStream) -> WireMessage { stream.wireMessage(bytes) }
}
