import CNghttp2
import EventLoop

/// One call, seen from the client.
///
/// Sendable as every stream is: touched on its loop only.
final class ClientStream: HTTP2Stream, @unchecked Sendable {
  /// One response is expected, so that its reader is woken once, at the end.
  private let isUnary: Bool
  private(set) var initialMetadata = Metadata()
  private(set) var trailingMetadata = Metadata()
  private(set) var isConcluded = false
  var watch: Watch?
  /// The peer has not looked at the call: it may go elsewhere, whatever its method does.
  private(set) var wasNotProcessed = false
  /// The response's headers are there, and they are not the trailers.
  private(set) var responseBegan = false
  /// Where the call went: hears how it ended.
  var subchannel: Subchannel?
  private var isLost = false

  private var httpStatus = 0
  private var grpcStatus: Int?
  private var grpcMessage: String?
  private var isGRPC = false
  private var hasInitialHeaders = false
  private var headerBytes = 0

  /// Names and values of response headers and trailers that are kept, in bytes.
  private static let headerListLimit = 32 << 10

  init(loop: EventLoop, messageLimit: Int, isUnary: Bool) {
    self.isUnary = isUnary
    super.init(loop: loop, messageLimit: messageLimit)
  }

  // MARK: Response

  override func receiveHeader(name: nghttp2_vec, value: OpaquePointer) {
    let field = nghttp2_rcbuf_get_buf(value)
    switch name.len {
    case 7 where name.equals(":status"):
      httpStatus = Int(String(decoding: field.bytes, as: UTF8.self)) ?? 0
    case 11 where name.equals("grpc-status"):
      grpcStatus = Int(String(decoding: field.bytes, as: UTF8.self)) ?? StatusCode.unknown.rawValue
    case 12 where name.equals("grpc-message"):
      grpcMessage = PercentEncoding.decode(field.bytes)
    case 12 where name.equals("content-type"):
      isGRPC = field.hasPrefix("application/grpc")
    default:
      headerBytes += name.len + field.len + 32
      guard headerBytes <= ClientStream.headerListLimit else { return }
      let (name, value) = (String(decoding: name.bytes, as: UTF8.self), String(decoding: field.bytes, as: UTF8.self))
      if hasInitialHeaders {
        trailingMetadata.append(received: name, value)
      } else {
        initialMetadata.append(received: name, value)
      }
    }
  }

  override func headersEnded(endsStream: Bool) {
    guard !hasInitialHeaders, httpStatus >= 200 else { return }
    hasInitialHeaders = true
    if endsStream {
      // Trailers-Only: what came was the trailers.
      trailingMetadata = initialMetadata
      initialMetadata = Metadata()
      return
    }
    responseBegan = true
    // The status is in the trailers, nowhere else.
    grpcStatus = nil
    if httpStatus != 200 || !isGRPC {
      conclude(noGRPC())
      reset(NGHTTP2_CANCEL)
    }
  }

  private func noGRPC() -> RPCError {
    RPCError(StatusCode(httpStatus: httpStatus), "the peer answered HTTP \(httpStatus), not gRPC")
  }

  private func metadataProblem() -> RPCError? {
    guard let name = initialMetadata.malformedName ?? trailingMetadata.malformedName else { return nil }
    return RPCError(.internalError, "metadata \(name): the peer sent a value that is not base64")
  }

  override func messageArrived() {
    guard isUnary else { return wakeReader() }
    // A peer that goes on sending would wait for us to read, and we for it to end.
    guard let prefix = MessagePrefix(inbound.bytes), inbound.count > MessagePrefix.byteCount + prefix.messageCount
    else { return }
    violated(RPCError(.internalError, "the call has more than one response"))
  }

  override func inboundDidEnd() {
    guard !isConcluded else { return }
    if let grpcStatus {
      conclude(
        grpcStatus == 0
          ? metadataProblem()
          : RPCError(received: StatusCode(rawValue: grpcStatus), grpcMessage ?? "", metadata: trailingMetadata))
    } else if httpStatus != 200 {
      conclude(noGRPC())
    } else {
      conclude(RPCError(.internalError, "the response ended without a grpc-status"))
    }
    // The peer does not want the rest of the request. Dropped, so that who waits for room to send it waits no longer.
    if !outboundEnded {
      outbound.removeAll()
      reset(NGHTTP2_CANCEL)
    }
  }

  override func violated(_ error: RPCError) {
    conclude(error)
    reset(NGHTTP2_CANCEL)
  }

  private func conclude(_ error: RPCError?) {
    guard !isConcluded else { return }
    isConcluded = true
    if isScheduled { loop.cancel(self) }
    endWatch(error)
    if !wasNotProcessed { subchannel?.callEnded(error, isLost: isLost) }
    if let error {
      fail(error)
    } else {
      wakeReader()
      wakeWriter()
    }
  }

  // MARK: Ends

  /// The deadline has passed.
  override func fire() { end(RPCError(.deadlineExceeded, "the deadline passed without an answer")) }

  func cancel() { end(RPCError(.cancelled, "the call was cancelled")) }

  private func end(_ error: RPCError) {
    guard !isConcluded else { return }
    dropInbound()
    conclude(error)
    reset(NGHTTP2_CANCEL)
  }

  override func didClose(_ end: End) {
    if case .closed(let code) = end, code == NGHTTP2_REFUSED_STREAM.rawValue { wasNotProcessed = true }
    if case .connectionLost = end { isLost = true }
    conclude(end.error)
  }

  // MARK: Request

  /// Nothing more will be sent.
  func finishSending() {
    guard !outboundEnded else { return }
    outboundEnded = true
    outboundChanged()
  }

  /// - Returns: whether there is still someone to send to.
  func checkOpen() throws -> Bool {
    if let failure { throw failure }
    return !isConcluded && connection != nil
  }
}
