import EventLoop
import Glibc

/// A client's connection.
///
/// Sendable as every connection is: touched on its loop only.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
  let server: Server
  /// With the names of its certificate once the TLS handshake is done.
  private(set) var peer: PeerReference
  private unowned let home: ServerLoop
  private var decoder = HeaderDecoder<RequestHead>()
  /// The highest stream that the client has opened.
  private var lastID: Int32 = 0

  // What nearly every response has, encoded once.
  private var responseHeaders = EncodedBlock()
  private var okTrailers = EncodedBlock()

  private var drain = Drain.no
  private enum Drain { case no, announced, final }
  private var drainDue: UInt64 = .max
  private var ageDue: UInt64 = .max
  private var lastPingAt: UInt64 = 0
  private var pingStrikes = 0

  /// How long a client has to answer the PING behind the first GOAWAY before the second one goes out without it.
  private static let drainPatience: UInt64 = 1_000_000_000
  /// What a trusted peer may do more of than others (see `oddities`): a gateway passes on what all its clients reset.
  private static let trust = 100
  /// PINGs that may come too early, until the connection ends (gRPC's `doc/keepalive.md`).
  private static let pingStrikeLimit = 2

  init(descriptor: Int32, home: ServerLoop, server: Server, peer: PeerReference, tls: TLSContext?) {
    self.server = server
    self.peer = peer
    self.home = home
    super.init(
      descriptor: descriptor, loop: home.loop, isServer: true, keepalive: server.options.keepalive,
      handshakeTimeout: server.options.handshakeTimeout, bufferLimit: server.options.connectionBufferLimit)
    self.tls = tls.map { TLSSession($0, descriptor: descriptor) }
    trustPeer()
    if let age = server.options.connectionAge {
      // Clients that came together shall not all leave together (gRFC A9).
      ageDue = startedAt &+ UInt64(Double(age.nanoseconds) * Double.random(in: 0.9...1.1))
    }
    start(settings: [
      (SettingID.maxConcurrentStreams, server.options.concurrentStreamLimit),
      (SettingID.maxHeaderListSize, UInt32(server.options.headerListLimit)),
    ])
  }

  override func didSecure() {
    guard let tls, tls.requiresPeerCertificate else { return }
    peer = PeerReference(Peer(kind: peer.peer.kind, identity: tls.peerNames, hasCertificate: true))
    trustPeer()
  }

  private func trustPeer() {
    guard peer.peer.isTrusted else { return }
    oddities = Allowance(
      burst: HTTP2Connection.oddityBurst * ServerConnection.trust,
      perSecond: HTTP2Connection.odditiesPerSecond * ServerConnection.trust)
  }

  // MARK: Requests

  override func isIdle(_ streamID: Int32) -> Bool { streamID & 1 == 0 || streamID > lastID }
  override var lastStreamID: Int32 { lastID }

  /// Larger header lists than we accept still have to be read, as later ones build on them; this much of them.
  private var decodedLimit: Int { max(64 << 10, server.options.headerListLimit * 4) }

  override func receiveBlock(
    streamID: Int32, endsStream: Bool, _ block: UnsafeBufferPointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    if streamID <= lastID || streamID & 1 == 0 {
      return try receiveLaterBlock(streamID: streamID, endsStream: endsStream, block)
    }
    lastID = streamID
    let head = try decoder.decode(block, limit: decodedLimit) { RequestHead(server: server) }
    head.finish()
    guard drain != .final else { return resetIDs.insert(streamID) }
    guard streams.count < Int(server.options.concurrentStreamLimit) else {
      sendReset(streamID: streamID, .refusedStream)
      return try countOddity("calls beyond the limit")
    }
    guard !head.isMalformed, !endsStream || head.contentLength ?? 0 == 0 else {
      sendReset(streamID: streamID, .protocolError)
      return try countOddity("malformed requests")
    }
    let stream = ServerStream(connection: self, id: streamID, head: head)
    add(stream)
    if endsStream { stream.endInbound() }
    stream.headersEnded()
    if endsStream, stream.connection != nil { stream.inboundDidEnd() }
  }

  /// Trailers, of which gRPC has none in requests, or HEADERS where there may be none.
  private func receiveLaterBlock(
    streamID: Int32, endsStream: Bool, _ block: UnsafeBufferPointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard streamID & 1 == 1 else {
      throw HTTP2ConnectionError(.protocolError, "a client opens stream \(streamID), which is even (RFC 9113 §5.1.1)")
    }
    let isAllowed = try decoder.checkTrailers(block, limit: decodedLimit)
    guard let stream = streams[streamID] else {
      if resetIDs.contains(streamID) { return try countOddity("frames on closed streams") }
      throw HTTP2ConnectionError(.streamClosed, "HEADERS on stream \(streamID), which is closed (RFC 9113 §5.1)")
    }
    guard !stream.inboundEnded else { return try streamError(stream, .streamClosed) }
    guard endsStream, isAllowed else { return try streamError(stream, .protocolError) }
    try receiveEnd(stream)
  }

  // MARK: Responses

  override func appendOwedHeaders(_ stream: HTTP2Stream, to output: inout Output) {
    stream.owesHeaders = false
    let block = responseHeaders.bytes(encoder: &encoder) { encoder, block in
      ServerConnection.appendResponseFields(&encoder, &block)
    }
    output.appendFrameHeader(
      length: block.count, type: FrameType.headers, flags: FrameFlags.endHeaders, streamID: stream.id)
    output.append(block)
  }

  /// `:status: 200`, `content-type: application/grpc`.
  static func appendResponseFields(_ encoder: inout HeaderEncoder, _ block: inout ByteQueue) {
    encoder.append(static: 8, &block)
    encoder.append(repeated: contentType.name, nameIndex: 31, contentType.value, &block)
  }

  private static let contentType = (name: Array("content-type".utf8), value: Array("application/grpc".utf8))
  private static let okStatus = (name: Array("grpc-status".utf8), value: Array("0".utf8))

  override func endStream(_ stream: HTTP2Stream, _ output: inout Output) {
    // Safe: only a ServerConnection makes a ServerStream, and it has no others.
    let stream = unsafeDowncast(stream, to: ServerStream.self)
    if stream.hasPlainTrailers {
      let block = okTrailers.bytes(encoder: &encoder) { encoder, block in
        encoder.append(repeated: ServerConnection.okStatus.name, ServerConnection.okStatus.value, &block)
      }
      output.appendFrameHeader(
        length: block.count, type: FrameType.headers, flags: FrameFlags.endHeaders | FrameFlags.endStream,
        streamID: stream.id)
      output.append(block)
    } else {
      guard stream.sendTrailers(self) else { return reset(stream, .internalError) }
    }
    endResponse(stream)
  }

  /// END_STREAM is out. A request that is still being sent is of no use any more: tells the peer to stop
  /// (RFC 9113 §8.1).
  func endResponse(_ stream: ServerStream) {
    stream.outboundIsSent = true
    if stream.inboundEnded {
      remove(stream, .closed(http2Error: HTTP2ErrorCode.noError.rawValue))
    } else {
      reset(stream, .noError)
    }
  }

  override func didClose(_ reason: RPCError) {
    if tls?.isEstablished == false { server.options.connectionRefused?(peer.peer, reason.message) }
    home.remove(self)
  }

  // MARK: PINGs of the client

  override func receivedPing() throws(HTTP2ConnectionError) {
    let now = loop.now
    if hasSentData { pingStrikes = 0 }
    defer { lastPingAt = now }
    guard lastPingAt != 0, now &- lastPingAt < server.options.shortestPingInterval.nanoseconds else { return }
    pingStrikes += 1
    guard pingStrikes <= ServerConnection.pingStrikeLimit else {
      throw HTTP2ConnectionError(.enhanceYourCalm, "too_many_pings")
    }
  }

  // MARK: Graceful end (RFC 9113 §6.8)

  /// Announces the end, so that the client starts no new calls here; those that are on their way are still answered.
  /// The connection closes when the last call has ended.
  func beginDrain() {
    guard drain == .no, !isClosed else { return }
    drain = .announced
    sendGoAway(lastStreamID: .max, .noError)
    sendPing()
    drainDue = EventLoop.monotonicNanoseconds() &+ ServerConnection.drainPatience
    startTimer()
  }

  override func receivedPingAcknowledgement() { finishDrain() }

  /// A round trip after the announcement: whatever the client started before it had read it has arrived.
  private func finishDrain() {
    guard drain == .announced, !isClosed else { return }
    drain = .final
    drainDue = .max
    sendGoAway(lastStreamID: lastID, .noError)
  }

  override var isDone: Bool { drain == .final && streams.count == 0 }

  /// A closed stream may have been the last one that a draining connection waited for.
  override func streamDidClose() {
    if drain == .final { setNeedsFlush() }
  }

  // MARK: Age (gRFC A9)

  override var nextDue: UInt64 { min(drainDue, ageDue) }

  override func isDue(now: UInt64) {
    if drainDue <= now { finishDrain() }
    guard ageDue <= now, !isClosed else { return }
    guard drain == .no else {
      return close(RPCError(.unavailable, "the connection's age and its grace have passed"))
    }
    beginDrain()
    ageDue = server.options.connectionAgeGrace.map { now &+ $0.nanoseconds } ?? .max
  }
}

/// A header block that is the same for every call, as long as the encoder's table is.
struct EncodedBlock: ~Copyable {
  private var block = ByteQueue()
  private var generation = -1

  init() {}

  /// The encoded fields; valid until the next call.
  @inline(__always) mutating func bytes(
    encoder: inout HeaderEncoder, _ encode: (inout HeaderEncoder, inout ByteQueue) -> Void
  ) -> UnsafeRawBufferPointer {
    if generation == encoder.generation { return block.bytes }
    block.removeAll()
    let before = encoder.generation
    encoder.beginBlock(&block)
    encode(&encoder, &block)
    // What added to the table says something else the next time.
    generation = encoder.generation == before ? before : -1
    return block.bytes
  }
}
