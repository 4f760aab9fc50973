import EventLoop

/// One call, seen from the client.
///
/// Sendable as every stream is: touched on its loop only.
final class ClientStream: HTTP2Stream, @unchecked Sendable {
  /// One response is expected, so that its reader is woken once, at the end.
  private let isUnary: Bool
  /// Responses may come compressed.
  var acceptsGzip = true
  private(set) var initialMetadata = Metadata()
  private(set) var trailingMetadata = Metadata()
  private(set) var isConcluded = false
  var watch: Watch?
  /// What waits for the end, other than a task.
  var forwarded: ForwardedCall?
  /// What the request says of the call that this one is a part of.
  private(set) var trace: TraceContext?
  /// The peer has not looked at the call: it may go elsewhere, whatever its method does.
  private(set) var wasNotProcessed = false
  /// The response's headers are there, and they are not the trailers.
  private(set) var responseBegan = false
  /// Where the call went: hears how it ended.
  var subchannel: Subchannel?
  private var isLost = false

  /// The first headers that are not interim ones.
  private var initialHead: ResponseHead?
  /// The last ones, when they came with END_STREAM.
  private var trailers: ResponseHead?

  init(loop: EventLoop, messageLimit: Int, isUnary: Bool) {
    self.isUnary = isUnary
    super.init(loop: loop, messageLimit: messageLimit, endsWithData: true)
  }

  // MARK: Response

  /// Headers or trailers.
  /// - Returns: false when they are malformed (RFC 9113 §8.1.1).
  func receive(_ head: ResponseHead, endsStream: Bool) -> Bool {
    guard !head.isMalformed else { return false }
    guard initialHead == nil else {
      // Trailers: without a status of HTTP, and the end.
      guard endsStream, head.httpStatus == 0 else { return false }
      trailers = head
      trailingMetadata = head.metadata
      return true
    }
    guard head.httpStatus >= 200 else { return head.httpStatus >= 100 && !endsStream }
    initialHead = head
    mayReceiveData = true
    announcedLeft = head.contentLength
    if endsStream {
      // Trailers-Only: what came was the trailers.
      trailers = head
      trailingMetadata = head.metadata
      return true
    }
    responseBegan = true
    initialMetadata = head.metadata
    inboundEncoding = head.encoding
    if head.httpStatus != 200 || !head.isGRPC {
      conclude(noGRPC())
      reset(.cancel)
    } else if let unknownEncoding = head.unknownEncoding {
      violated(
        RPCError(
          .internalError,
          "the response's grpc-encoding \"\(unknownEncoding)\" is none of those that were offered: "
            + MessageEncoding.acceptedText))
    }
    return true
  }

  private func noGRPC() -> RPCError {
    let status = initialHead?.httpStatus ?? 0
    return RPCError(StatusCode(httpStatus: status), "the peer answered HTTP \(status), not gRPC")
  }

  private func metadataProblem() -> RPCError? {
    guard let name = initialMetadata.malformedName ?? trailingMetadata.malformedName else { return nil }
    return RPCError(.internalError, "metadata \(name): the peer sent a value that is not base64")
  }

  override func messageArrived() {
    guard isUnary else { return wakeReader() }
    // A peer that goes on sending would wait for us to read, and we for it to end.
    guard let count = firstMessageCount, inbound.count > count else { return }
    // Which code it is says gRPC's `doc/statuscodes.md`.
    violated(RPCError(.unimplemented, "the call has more than one response"))
  }

  override func inboundDidEnd() {
    guard !isConcluded else { return }
    // The status is in the trailers, nowhere else.
    if let status = trailers?.grpcStatus {
      conclude(
        status == 0
          ? metadataProblem()
          : RPCError(
            received: StatusCode(rawValue: status), trailers?.grpcMessage ?? "", metadata: trailingMetadata))
    } else if initialHead?.httpStatus != 200 {
      conclude(noGRPC())
    } else {
      conclude(RPCError(.internalError, "the response ended without a grpc-status"))
    }
    // The peer does not want the rest of the request. Dropped, so that who waits for room to send it waits no longer.
    if !outboundEnded {
      outbound.removeAll()
      reset(.cancel)
    }
  }

  override func violated(_ error: RPCError) {
    conclude(error)
    reset(.cancel)
  }

  private func conclude(_ error: RPCError?) {
    guard !isConcluded else { return }
    isConcluded = true
    if isScheduled { loop.cancel(self) }
    endWatch(error)
    if !wasNotProcessed { subchannel?.callEnded(error, of: self, isLost: isLost) }
    if let error {
      fail(error)
    } else {
      wakeReader()
      wakeWriter()
    }
    if let forwarded { forwarded.forwarder.ended(self, error) }
  }

  // MARK: Ends

  /// The deadline has passed.
  override func fire() { end(RPCError(.deadlineExceeded, "the deadline passed without an answer")) }

  func cancel() { end(RPCError(.cancelled, "the call was cancelled")) }

  private func end(_ error: RPCError) {
    guard !isConcluded else { return }
    dropInbound()
    conclude(error)
    reset(.cancel)
  }

  override func didClose(_ end: End) {
    if case .closed(let code) = end, code == HTTP2ErrorCode.refusedStream.rawValue { wasNotProcessed = true }
    if case .connectionLost = end { isLost = true }
    if id == 0 { wasNotProcessed = true }
    // Nearly always it is over already, and what to call the end of no interest.
    if !isConcluded { conclude(end.error) }
  }

  // MARK: Request

  /// Before it is opened: how messages are encoded, as the caller wants it.
  func encode(_ options: CallOptions) {
    trace = options.trace
    if let compression = options.compression {
      outboundEncoding = .gzip
      compressionThreshold = compression.threshold
    }
    if let passing = options.passing {
      passesCompressed = true
      outboundEncoding = passing.encoding
      acceptsGzip = passing.acceptsGzip
    }
  }

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
