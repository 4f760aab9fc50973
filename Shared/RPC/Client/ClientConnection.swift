import CSystem
import EventLoop
import Glibc

/// A connection to one address.
///
/// Sendable as every connection is: touched on its loop only.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
  /// Until the connection has closed. (A weak reference would send every retain of the subchannel the slow way.)
  private var owner: Subchannel?
  private var isConnected = false
  /// No new calls.
  private(set) var isGoingAway = false
  private var decoder = HeaderDecoder<ResponseHead>()
  private(set) var nextID: Int32 = 1
  /// Calls that the peer takes at once; what gRPC's clients assume until it has said so.
  private var streamLimit = 100
  /// Calls beyond that, in their order.
  private var waiting: [WaitingCall] = []

  private var fields: RequestFields
  /// Of the request that is being started: kept, as its memory would be one allocation for each.
  private var headerBlock = ByteQueue()

  private struct WaitingCall {
    let stream: ClientStream
    let path: String
    let metadata: Metadata
    let deadline: UInt64?
  }

  /// Calls that may wait for their turn on one connection.
  private static let waitingLimit = 10_000
  /// Bytes of one field of a response, counted as RFC 9113 §6.5.2 does, and of all of them.
  private static let decodedLimit = 256 << 10

  /// Begins to connect. The owner hears how it went.
  init(
    to address: Address, loop: EventLoop, owner: Subchannel, keepalive: Keepalive, tls: ChannelTLS?
  ) throws(SystemError) {
    let descriptor = try ClientConnection.connect(to: address)
    let session = tls?.session(to: address, descriptor: descriptor)
    let authority =
      switch address {
      case .unix: "localhost"
      case .tcp: tls?.authority(of: address) ?? address.description
      }
    fields = RequestFields(authority: Array(authority.utf8), isSecure: session != nil)
    self.owner = owner
    super.init(
      descriptor: descriptor, loop: loop, isServer: false, keepalive: keepalive,
      handshakeTimeout: Subchannel.connectTimeout)
    self.tls = session
    start(settings: [(SettingID.enablePush, 0)], events: [.readable, .writable])
  }

  private static func connect(to address: Address) throws(SystemError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor: Int32
    let result: Int32
    switch address {
    case .unix:
      descriptor = socket(AF_UNIX, type, 0)
      guard descriptor >= 0 else { throw SystemError("socket") }
      result = address.withUnixSocketAddress { Glibc.connect(descriptor, $0, $1) } ?? -1
    case .tcp(let host, let port):
      // Names have been looked up by the resolver: the loop must not wait for that.
      guard let target = try? SocketAddress.resolve(host: host, port: port, isNumeric: true).first else {
        throw SystemError("getaddrinfo", errno: EADDRNOTAVAIL)
      }
      descriptor = socket(target.family, type, 0)
      guard descriptor >= 0 else { throw SystemError("socket") }
      var one: Int32 = 1
      setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
      result = target.withSocketAddress { Glibc.connect(descriptor, $0, $1) }
    }
    guard result == 0 || errno == EINPROGRESS else {
      let error = SystemError("connect")
      Glibc.close(descriptor)
      throw error
    }
    return descriptor
  }

  override func becameWritable() -> Bool {
    guard !isConnected else { return true }
    var number: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length)
    guard number == 0 else {
      close(RPCError(.unavailable, SystemError("connect", errno: number).reason))
      return false
    }
    isConnected = true
    loop.modify(descriptor, for: .readable)
    return true
  }

  /// A server that has sent SETTINGS has accepted the connection. Before that it may only lie in a listener's queue, and be
  /// reset with the calls in it when the server stops.
  override func receivedFirstSettings() { owner?.didConnect(self) }

  // MARK: Calls

  /// Starts a call: its headers go out with the next flush, its messages as they are queued.
  /// - Throws: what ended the call before it began (its caller may have been cancelled); UNAVAILABLE when the connection has
  ///   closed since it was picked: a caller that waited for it is resumed a moment later, and nobody would end its call.
  func open(
    _ stream: ClientStream, path: String, metadata: Metadata, deadline: UInt64?
  ) throws(RPCError) {
    if let failure = stream.failure { throw failure }
    guard !isClosed else { throw RPCError(.unavailable, "the connection broke before \(path) was sent") }
    guard nextID < .max - 1, !isGoingAway else {
      // Out of stream ids, or told to stop: the next connection takes it.
      isGoingAway = true
      owner?.isGoingAway(self)
      throw RPCError(.unavailable, "the connection takes no more calls")
    }
    guard streams.count >= streamLimit || !waiting.isEmpty else {
      return try start(stream, path: path, metadata: metadata, deadline: deadline)
    }
    // Calls that were cancelled, or whose deadline has passed, stay in the row until it moves on.
    if waiting.count >= ClientConnection.waitingLimit { waiting.removeAll { $0.stream.connection == nil } }
    guard waiting.count < ClientConnection.waitingLimit else {
      throw RPCError(.resourceExhausted, "\(waiting.count) calls wait for their turn on one connection")
    }
    stream.connection = self
    if let deadline { loop.schedule(stream, at: deadline) }
    waiting.append(WaitingCall(stream: stream, path: path, metadata: metadata, deadline: deadline))
  }

  private func start(
    _ stream: ClientStream, path: String, metadata: Metadata, deadline: UInt64?
  ) throws(RPCError) {
    var timeout: UInt64?
    if let deadline {
      let now = EventLoop.monotonicNanoseconds()
      guard deadline > now else { throw RPCError(.deadlineExceeded, "the deadline passed before \(path) was sent") }
      timeout = deadline - now
    }
    headerBlock.removeAll()
    let mark = encoder.mark
    encoder.beginBlock(&headerBlock)
    fields.append(path: path, acceptsGzip: stream.acceptsGzip, &encoder, &headerBlock)
    if stream.outboundEncoding == .gzip { RequestFields.appendEncoding(&encoder, &headerBlock) }
    if let timeout { RequestFields.append(timeoutNanoseconds: timeout, &headerBlock) }
    if let trace = stream.trace { RequestFields.append(trace, &encoder, &headerBlock) }
    fields.append(metadata, &encoder, &headerBlock)
    guard sendHeaderBlock(streamID: nextID) else {
      encoder.restore(mark)
      throw RPCError(
        .resourceExhausted, "the call's headers have more than \(HTTP2Connection.outgoingHeaderLimit) bytes")
    }
    stream.id = nextID
    nextID += 2
    stream.connection = self
    add(stream)
    if let deadline, !stream.isScheduled { loop.schedule(stream, at: deadline) }
    if stream.outboundEnded || !stream.outbound.isEmpty { makeReady(stream) }
  }

  private func sendHeaderBlock(streamID: Int32) -> Bool {
    guard headerBlock.count > min(peerMaxFrameSize, HTTP2Connection.outgoingHeaderLimit) else {
      sendControl(type: FrameType.headers, flags: FrameFlags.endHeaders, streamID: streamID, headerBlock.bytes)
      return true
    }
    return sendHeaders(streamID: streamID, endsStream: false) { $1.append(headerBlock.bytes) }
  }

  // MARK: Calls that wait for their turn

  override func receivedStreamLimit(_ limit: UInt32) {
    streamLimit = Int(limit)
    startWaiting()
  }

  private func startWaiting() {
    // Not while the end of the connection takes away one call after the other: nobody would end those that began then.
    guard !waiting.isEmpty, !isGoingAway, !isFailing, !isClosed else { return }
    var failed: [(stream: ClientStream, error: RPCError)] = []
    var started = 0
    while started < waiting.count, streams.count < streamLimit {
      let call = waiting[started]
      started += 1
      // Cancelled, or its deadline has passed.
      guard call.stream.connection != nil else { continue }
      do throws(RPCError) {
        try start(call.stream, path: call.path, metadata: call.metadata, deadline: call.deadline)
      } catch {
        failed.append((call.stream, error))
      }
    }
    waiting.removeFirst(started)
    // Not before: a stream that ends asks who is next.
    for (stream, error) in failed { remove(stream, .connectionLost(error)) }
  }

  /// They have not been sent, so that they may go elsewhere.
  private func endWaiting(_ reason: RPCError) {
    let calls = waiting
    waiting = []
    for call in calls { remove(call.stream, .connectionLost(reason)) }
  }

  // MARK: Responses

  override func isIdle(_ streamID: Int32) -> Bool { streamID & 1 == 0 || streamID >= nextID }

  override func receiveBlock(
    streamID: Int32, endsStream: Bool, _ block: UnsafeBufferPointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard !isIdle(streamID) else {
      throw HTTP2ConnectionError(.protocolError, "HEADERS on stream \(streamID), which is idle")
    }
    let head = try decoder.decode(block, limit: ClientConnection.decodedLimit) { ResponseHead() }
    // Of a call that was cancelled a moment ago.
    guard let stream = streams[streamID] else { return }
    guard !stream.inboundEnded else { return try streamError(stream, .streamClosed) }
    // Safe: only `start` adds streams, and it adds no others.
    guard unsafeDowncast(stream, to: ClientStream.self).receive(head, endsStream: endsStream) else {
      return try streamError(stream, .protocolError)
    }
    if endsStream { try receiveEnd(stream) }
  }

  override func endStream(_ stream: HTTP2Stream, _ output: inout Output) {
    if stream.inboundEnded { remove(stream, .closed(http2Error: HTTP2ErrorCode.noError.rawValue)) }
  }

  // MARK: Ends

  override var mayPing: Bool { streams.count > 0 }

  override func receivedGoAway(lastStreamID: Int32, _ code: HTTP2ErrorCode) {
    if !isGoingAway {
      isGoingAway = true
      owner?.isGoingAway(self)
      endWaiting(RPCError(.unavailable, "the server takes no more calls"))
    }
    // Those above have not been looked at, and never will be (RFC 9113 §6.8).
    for stream in streams.all where stream.id > lastStreamID {
      remove(stream, .closed(http2Error: HTTP2ErrorCode.refusedStream.rawValue))
    }
  }

  override func streamDidClose() {
    startWaiting()
    if isGoingAway && streams.count == 0 { setNeedsFlush() }
  }

  /// Closes once the last call has ended; takes no new ones.
  func endWhenIdle() {
    isGoingAway = true
    guard !isClosed else { return }
    endWaiting(RPCError(.unavailable, "the connection takes no more calls"))
    setNeedsFlush()
  }

  override var isDone: Bool { isGoingAway && streams.count == 0 && isConnected && waiting.isEmpty }

  /// Nothing that comes is read any more: new calls go elsewhere at once, not when the socket is gone.
  override func didFail(_ reason: RPCError) {
    isGoingAway = true
    endWaiting(reason)
    owner?.didClose(self, reason)
  }

  override func didClose(_ reason: RPCError) {
    endWaiting(reason)
    let owner = owner
    self.owner = nil
    owner?.didClose(self, reason)
  }
}
