import EventLoop
import Messages

extension Channel {
  /// Any number of messages out, one in. A call that fails is not made again, as its messages are gone.
  /// - Parameter body: sends the messages; the stream ends when it returns, and the call when it throws.
  /// - Throws: `RPCError`, or what `body` throws.
  public func clientStreaming<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, options: CallOptions = CallOptions(),
    _ body: @escaping @Sendable (RequestWriter<Request>) async throws -> Void
  ) async throws -> Response {
    let stream = try await open(path: method.path, options: options, isUnary: true)
    return try await withTaskCancellationHandler {
      do {
        try await body(RequestWriter(stream: stream))
      } catch {
        await stream.onLoop { stream.cancel() }
        throw error
      }
      return try await stream.finishAndReply { try Response(response: $0) }
    } onCancel: {
      stream.loop.execute { stream.cancel() }
    }
  }

  /// One message out, any number in.
  public func serverStreaming<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, _ request: Request, options: CallOptions = CallOptions()
  ) async throws -> ResponseStream<Response> {
    let stream = try await open(path: method.path, options: options, isUnary: false)
    do {
      try await stream.send(request)
    } catch {
      // Nobody gets to hold the call, so that nobody else could end it.
      await stream.onLoop { stream.cancel() }
      throw error
    }
    await stream.onLoop { stream.finishSending() }
    return ResponseStream(stream: stream)
  }

  /// Any number of messages both ways.
  public func bidirectional<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, options: CallOptions = CallOptions()
  ) async throws -> BidirectionalCall<Request, Response> {
    let stream = try await open(path: method.path, options: options, isUnary: false)
    return BidirectionalCall(requests: RequestWriter(stream: stream), responses: ResponseStream(stream: stream))
  }

  /// Starts a call on a connection that is ready.
  func open(path: String, options: CallOptions, isUnary: Bool) async throws -> ClientStream {
    let deadline = options.timeout.map { EventLoop.monotonicNanoseconds() &+ $0.nanoseconds }
    return try await onCall(path) { balancer, watch in
      var attempt = 1
      while true {
        let pick = try await balancer.pick(
          deadline: deadline, waitForReady: options.waitForReady, patience: options.patience)
        let stream = ClientStream(loop: balancer.loop, messageLimit: self.options.messageLimit, isUnary: isUnary)
        stream.encode(options)
        do throws(RPCError) {
          stream.subchannel = pick.subchannel
          try pick.connection.open(stream, path: path, metadata: options.metadata, deadline: deadline)
          stream.begin(watch, endsCall: true)
          return stream
        } catch {
          guard error.code == .unavailable, attempt < RetryState.unseenLimit else { throw error }
          attempt += 1
        }
      }
    }
  }
}

/// Where the caller of a streaming method puts its messages.
public struct RequestWriter<Request: Message>: Sendable {
  let stream: ClientStream

  /// Sends one message; suspends while the server does not keep up. Messages after the server's final status are
  /// dropped when it was OK.
  /// - Parameter compressed: nil leaves it to `CallOptions.compression`, without which none is.
  /// - Throws: the status that the call ended with.
  public func send(_ request: Request, compressed: Bool? = nil) async throws {
    try await stream.send(request, compressed: compressed)
  }

  /// Says that nothing more follows.
  public func finish() async { await stream.onLoop { stream.finishSending() } }
}

/// The messages that a server streams. Ends when the call ends with OK, throws its status otherwise. One reader at a
/// time.
///
/// Letting go of it does not end the call: read it to the end or `cancel` it.
public struct ResponseStream<Response: Message>: AsyncSequence, Sendable {
  /// A message.
  public typealias Element = Response
  let stream: ClientStream

  /// Takes the messages one after the other; several iterators of one stream share what comes.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let stream: ClientStream

    /// The next message; nil after the last one of a call that ended with OK. Cancelling the task that waits cancels the
    /// call.
    /// - Throws: `RPCError`.
    public mutating func next() async throws -> Response? {
      let stream = stream
      return try await withTaskCancellationHandler {
        try await stream.nextMessage { try Response(response: $0) }
      } onCancel: {
        stream.loop.execute { stream.cancel() }
      }
    }
  }

  /// For `for try await`.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream) }

  /// Messages that came compressed, of those that have been read so far.
  public var compressedCount: Int {
    get async {
      let stream = stream
      return await stream.loop.perform { stream.compressedCount }
    }
  }

  /// Tells the server that nobody reads on.
  public func cancel() {
    let stream = stream
    stream.loop.execute { stream.cancel() }
  }
}

/// A call with messages both ways.
public struct BidirectionalCall<Request: Message, Response: Message>: Sendable {
  /// The client's side. The server learns by its `finish` that no more will come.
  public let requests: RequestWriter<Request>
  /// The server's side; ends with the call's status.
  public let responses: ResponseStream<Response>
}

extension ClientStream {
  func onLoop(_ body: @escaping @Sendable () -> Void) async {
    await loop.perform { body() }
  }

  func send(_ request: some Message, compressed: Bool? = nil) async throws {
    guard loop.keepsCurrentTask else {
      return try await loop.perform { try await self.send(request, compressed: compressed) }
    }
    guard try checkOpen() else { return }
    compressing(compressed) {
      request.withPacked { packed in enqueueMessage(count: packed.count) { packed.write(to: $0) } }
    }
    outboundChanged()
    try await awaitRoom()
  }

  func send(_ message: WireMessage) async throws {
    guard loop.keepsCurrentTask else {
      return try await loop.perform { try await self.send(message) }
    }
    guard try checkOpen() else { return }
    enqueue(message)
    outboundChanged()
    try await awaitRoom()
  }

  func finishAndReply<Response: Sendable>(
    _ read: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Response
  ) async throws -> Response {
    guard loop.keepsCurrentTask else {
      return try await loop.perform { try await self.finishAndReply(read) }
    }
    finishSending()
    try await end()
    return try read(oneMessage())
  }
}
