import EventLoop
import Glibc

/// One call, seen from the server: from its request headers to its status.
///
/// Sendable as every stream is: touched on its loop only.
final class ServerStream: HTTP2Stream, @unchecked Sendable {
  let head: RequestHead
  /// Set when the headers are there.
  private(set) var trace: TraceContext?
  /// Monotonic nanoseconds.
  private(set) var deadline: UInt64?
  private(set) var isFinished = false
  var initialMetadata = Metadata()
  var trailingMetadata = Metadata()

  let server: Server
  let peer: PeerReference
  let startedAt: UInt64
  /// Set before the handler begins.
  var authenticatedName: String?
  /// How many of the method's interceptors have seen the call begin and have not been told of its end.
  var startedInterceptors = 0
  private var task: Task<Void, Never>?
  /// The call that this one is passed on as.
  var upstream: ClientStream?
  var responseStarted = false
  private var dispatched = false
  var status: RPCError?

  init(connection: ServerConnection, id: Int32, head: RequestHead) {
    server = connection.server
    peer = connection.peer
    startedAt = connection.loop.now
    self.head = head
    super.init(
      loop: connection.loop, messageLimit: connection.server.options.messageLimit, endsWithData: false)
    self.connection = connection
    self.id = id
    mayReceiveData = true
    announcedLeft = head.contentLength
    inboundEncoding = head.encoding
  }

  var method: Method? { head.method }
  var metadata: Metadata { head.metadata }
  /// The client reads compressed messages.
  var acceptsGzip: Bool { head.acceptsGzip }

  @inline(__always) var serverConnection: ServerConnection? {
    // Safe: only a ServerConnection makes a ServerStream, and nothing else sets `connection`.
    connection.map { unsafeDowncast($0, to: ServerConnection.self) }
  }

  /// The path that was called; empty when the request had none that is known.
  var path: String { method?.path ?? "" }

  // MARK: Request headers

  func headersEnded() {
    if let (status, message) = head.refusal { return refuse(httpStatus: status, message) }
    if let timeout = head.timeoutNanoseconds { deadline = startedAt &+ timeout }
    trace = head.trace.context(&loop.random)
    let refusal = startInterceptors()
    // Whoever is not let in learns nothing of what there is.
    if let problem = refusal ?? head.problem { return finish(problem) }
    guard let method = head.method else { return }
    if let compression = server.options.compression { compressResponses(from: compression.threshold) }
    if let deadline {
      guard deadline > loop.now else { return fire() }
      loop.schedule(self, at: deadline)
    }
    if case .streaming(let handler) = method.handler {
      dispatched = true
      run(handler)
    }
  }

  // MARK: Request messages

  override func messageArrived() {
    guard !isFinished else { return dropInbound() }
    if dispatched { return wakeReader() }
  }

  override func inboundDidEnd() {
    guard !isFinished else { return }
    if dispatched { return wakeReader() }
    dispatchUnary()
  }

  override func violated(_ error: RPCError) { finish(error) }

  /// The request is there in whole: exactly one message.
  private func dispatchUnary() {
    guard let method else { return }
    // Which code it is says gRPC's `doc/statuscodes.md`.
    guard let count = firstMessageCount else {
      guard !inbound.isEmpty else {
        return finish(RPCError(.unimplemented, "\(path) takes one message; the request has none"))
      }
      return finish(
        RPCError(.internalError, "\(path) takes one message; the request ended after \(inbound.count) bytes of it"))
    }
    guard inbound.count == count else {
      return finish(RPCError(.unimplemented, "\(path) takes one message; the request has more"))
    }
    dispatched = true
    switch method.handler {
    case .synchronous(let handler):
      do {
        let message = try takenMessage()
        countReceived(count - MessagePrefix.byteCount)
        try handler(message, self)
        // A client that does not read keeps the stream open: it need not hold the request, too.
        dropInbound()
        finish(nil)
      } catch {
        finish(RPCError(thrown: error))
      }
    case .forwarded(let forwarder):
      forwarder.forward(self)
    case .unary(let handler), .streaming(let handler):
      run(handler)
    }
  }

  func run(_ handler: @escaping Method.AsyncHandler) {
    task = Task(executorPreference: loop) {
      do {
        try await handler(self)
        self.ended(nil)
      } catch {
        self.ended(error)
      }
    }
  }

  /// The handler has returned. It runs on the loop, unless it was written to leave it.
  private func ended(_ error: (any Error)?) {
    if loop.isCurrent {
      task = nil
      finish(error.map(RPCError.init(thrown:)))
    } else {
      loop.execute { self.ended(error) }
    }
  }

  // MARK: Response

  /// A response of this many bytes counts against what may wait on its connection.
  private static let largeResponse = 16 << 10

  /// Whether there is room for one large response more. Small ones are limited by the number of streams, and those of a
  /// stream by its writer, which waits.
  private func unsentProblem() -> RPCError? {
    guard outbound.count >= ServerStream.largeResponse, !responseStarted, let connection else { return nil }
    guard connection.unsentCount + outbound.count <= connection.bufferLimit else {
      return RPCError(
        .resourceExhausted,
        "\(connection.unsentCount) bytes of responses wait on one connection: read them before asking for more")
    }
    unsentCount = outbound.count
    connection.unsentCount += unsentCount
    return nil
  }

  /// Ends the call: OK without an error. Later results are dropped.
  func finish(_ error: RPCError?) {
    guard !isFinished else { return }
    let error = error ?? unsentProblem()
    isFinished = true
    if isScheduled { loop.cancel(self) }
    endInterceptors(error)
    guard let connection = serverConnection else { return }
    status = error
    outboundEnded = true
    if responseStarted {
      // What is queued goes out first: half a message would be worse than none.
      outboundChanged()
    } else if error == nil {
      startResponse()
    } else {
      outbound.removeAll()
      sendTrailersOnly(connection)
    }
    if let error {
      cancelWork()
      fail(error)
    }
  }

  /// Nobody waits for what is being done.
  private func cancelWork() {
    task?.cancel()
    upstream?.cancel()
  }

  /// Not gRPC at all: an answer of HTTP.
  private func refuse(httpStatus: String, _ message: String) {
    guard let connection = serverConnection else { return }
    isFinished = true
    status = RPCError(.unknown, message)
    sendHeadersOnly(connection) { encoder, block in
      encoder.append(":status".utf8, nameIndex: 8, httpStatus.utf8, &block)
    }
  }

  // MARK: Ends

  /// The deadline has passed.
  override func fire() {
    let isStuck = responseStarted && !outbound.isEmpty
    finish(RPCError(.deadlineExceeded, "the deadline passed before \(path) was done"))
    // A client that does not take what is queued does not get to the status behind it either.
    if isStuck { reset(.cancel) }
  }

  override func didClose(_ end: End) {
    guard !isFinished else {
      // The handler of a finished call may still wait for room or for a message.
      return fail(RPCError(.cancelled, "the call is over"))
    }
    let error = RPCError(.cancelled, "the client is gone: \(end.error.message)")
    isFinished = true
    if isScheduled { loop.cancel(self) }
    endInterceptors(error)
    cancelWork()
    fail(error)
  }
}
