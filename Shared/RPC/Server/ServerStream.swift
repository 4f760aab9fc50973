import CNghttp2
import EventLoop
import Glibc

/// One call, seen from the server: from its request headers to its status.
///
/// Sendable as every stream is: touched on its loop only.
final class ServerStream: HTTP2Stream, @unchecked Sendable {
  private(set) var method: Method?
  private(set) var metadata = Metadata()
  private var receivedTrace = ReceivedTrace()
  /// Set when the headers are there.
  private(set) var trace: TraceContext?
  /// Monotonic nanoseconds.
  private(set) var deadline: UInt64?
  private(set) var isFinished = false
  var initialMetadata = Metadata()
  var trailingMetadata = Metadata()

  let server: Server
  let startedAt: UInt64
  /// How many of the method's interceptors have seen the call begin and have not been told of its end.
  var startedInterceptors = 0
  private var task: Task<Void, Never>?
  var responseStarted = false
  private var dispatched = false
  var status: RPCError?

  // What the request's headers said.
  private var seen = Seen()
  private var headerBytes = 0
  private var httpMethodIsPost = true
  private var malformedTimeout: String?
  private(set) var encoding: String?

  private struct Seen: OptionSet {
    let rawValue: UInt8
    static let contentType = Seen(rawValue: 1)
    static let wrongContentType = Seen(rawValue: 2)
    static let trailers = Seen(rawValue: 4)
    static let headersEnded = Seen(rawValue: 8)
  }

  init(connection: ServerConnection, id: Int32) {
    server = connection.server
    startedAt = connection.loop.now
    super.init(loop: connection.loop, messageLimit: connection.server.options.messageLimit)
    self.connection = connection
    self.id = id
  }

  @inline(__always) var serverConnection: ServerConnection? {
    // Safe: only a ServerConnection makes a ServerStream, and nothing else sets `connection`.
    connection.map { unsafeDowncast($0, to: ServerConnection.self) }
  }

  /// The path that was called; empty when the request had none that is known.
  var path: String { method?.path ?? "" }

  // MARK: Request headers

  override func receiveHeader(name: nghttp2_vec, value: OpaquePointer) {
    guard !seen.contains(.headersEnded) else { return }  // trailers: gRPC has none in requests
    let field = nghttp2_rcbuf_get_buf(value)
    headerBytes += name.len + field.len + 32  // RFC 9113 §6.5.2 counts so
    switch name.len {
    case 2 where name.equals("te"):
      if field.equals("trailers") { seen.insert(.trailers) }
    case 5 where name.equals(":path"):
      method = serverConnection?.method(for: value, field)
    case 7 where name.equals(":method"):
      httpMethodIsPost = field.equals("POST")
    case 7 where name.equals(":scheme"), 10 where name.equals(":authority"), 10 where name.equals("user-agent"),
      14 where name.equals("content-length"), 20 where name.equals("grpc-accept-encoding"):
      break
    case 11 where name.equals("traceparent"):
      receivedTrace.receive(traceparent: field.bytes)
    case 10 where name.equals("tracestate"):
      receivedTrace.receive(tracestate: String(decoding: field.bytes, as: UTF8.self))
    case 12 where name.equals("content-type"):
      seen.insert(.contentType)
      if !ServerStream.isGRPC(field) { seen.insert(.wrongContentType) }
    case 12 where name.equals("grpc-timeout"):
      if let nanoseconds = Timeout.parse(field.bytes) {
        deadline = startedAt &+ nanoseconds
      } else {
        malformedTimeout = String(decoding: field.bytes.prefix(32), as: UTF8.self)
      }
    case 13 where name.equals("grpc-encoding"):
      if !field.equals("identity") { encoding = String(decoding: field.bytes.prefix(32), as: UTF8.self) }
    default:
      guard headerBytes <= server.options.headerListLimit else { return }
      metadata.append(
        received: String(decoding: name.bytes, as: UTF8.self), String(decoding: field.bytes, as: UTF8.self))
    }
  }

  /// `application/grpc`, with a subtype or parameters or without.
  private static func isGRPC(_ value: nghttp2_vec) -> Bool {
    guard value.hasPrefix("application/grpc") else { return false }
    guard value.len > 16 else { return true }
    return value.base[16] == UInt8(ascii: "+") || value.base[16] == UInt8(ascii: ";")
  }

  override func headersEnded(endsStream: Bool) {
    guard !seen.contains(.headersEnded) else { return }
    seen.insert(.headersEnded)
    guard httpMethodIsPost else { return refuse(httpStatus: "405", "gRPC calls are POST requests") }
    guard seen.contains(.contentType), !seen.contains(.wrongContentType) else {
      return refuse(httpStatus: "415", "the content-type is not application/grpc")
    }
    trace = receivedTrace.context(&loop.random)
    let refusal = startInterceptors()
    if let problem = requestProblem() ?? refusal { return finish(problem) }
    guard let method else { return }
    if let deadline {
      guard deadline > loop.now else { return fire() }
      loop.schedule(self, at: deadline)
    }
    if case .streaming(let handler) = method.handler {
      dispatched = true
      run(handler)
    }
  }

  private func requestProblem() -> RPCError? {
    if headerBytes > (server.options.headerListLimit) {
      return RPCError(
        .resourceExhausted,
        "\(headerBytes) bytes of headers; at most \(server.options.headerListLimit) are accepted")
    }
    if !seen.contains(.trailers) {
      return RPCError(
        .internalError, "the request has no \"te: trailers\": a proxy on the way does not pass trailers on")
    }
    if let malformedTimeout {
      return RPCError(
        .invalidArgument, "grpc-timeout \"\(malformedTimeout)\" is not up to 8 digits and one of H M S m u n")
    }
    if let encoding {
      return RPCError(.unimplemented, "grpc-encoding \"\(encoding)\" is not supported: send identity")
    }
    if let name = metadata.malformedName {
      return RPCError(.internalError, "metadata \(name): the value is not base64, which that of a -bin name has to be")
    }
    if method == nil {
      return RPCError(.unimplemented, "the method is not known here; grpc.reflection.v1 lists what is")
    }
    return nil
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
    let message: UnsafeRawBufferPointer
    do throws(RPCError) {
      guard let bytes = try firstMessage() else {
        return finish(
          RPCError(
            .internalError, "\(path) takes one message; the request ended after \(inbound.count) bytes without one"))
      }
      guard inbound.count == MessagePrefix.byteCount + bytes.count else {
        return finish(RPCError(.internalError, "\(path) takes one message; the request has more"))
      }
      message = bytes
    } catch {
      return finish(error)
    }
    dispatched = true
    switch method.handler {
    case .synchronous(let handler):
      countReceived(message.count)
      do {
        try handler(message, self)
        // A client that does not read keeps the stream open: it need not hold the request, too.
        dropInbound()
        finish(nil)
      } catch {
        finish(RPCError(thrown: error))
      }
    case .unary(let handler), .streaming(let handler):
      run(handler)
    }
  }

  private func run(_ handler: @escaping Method.AsyncHandler) {
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
      submitTrailersOnly(connection)
    }
    if let error {
      task?.cancel()
      fail(error)
    }
  }

  override func endOutbound() -> UInt32 {
    guard let connection = serverConnection else { return NGHTTP2_DATA_FLAG_EOF.rawValue }
    if status == nil && trailingMetadata.isEmpty {
      nghttp2_submit_trailer(connection.session, id, server.fields.okTrailer, 1)
    } else {
      HeaderField.withFields([], statusFields()) {
        _ = nghttp2_submit_trailer(connection.session, id, $0, $1)
      }
    }
    resetUnlessReceived(connection)
    return NGHTTP2_DATA_FLAG_EOF.rawValue | NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
  }

  /// Not gRPC at all: an answer of HTTP.
  private func refuse(httpStatus: String, _ message: String) {
    guard let connection = serverConnection else { return }
    isFinished = true
    responseStarted = true
    status = RPCError(.unknown, message)
    HeaderField.withFields([], [(name: ":status", value: Array(httpStatus.utf8))] + statusFields()) {
      _ = nghttp2_submit_response(connection.session, id, $0, $1, nil)
    }
    resetUnlessReceived(connection)
    connection.setNeedsFlush()
  }

  // MARK: Ends

  /// The deadline has passed.
  override func fire() {
    let isStuck = responseStarted && !outbound.isEmpty
    finish(RPCError(.deadlineExceeded, "the deadline passed before \(path) was done"))
    // A client that does not take what is queued does not get to the status behind it either.
    if isStuck { reset(NGHTTP2_CANCEL) }
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
    task?.cancel()
    fail(error)
  }
}
