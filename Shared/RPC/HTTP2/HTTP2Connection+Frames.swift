import EventLoop
import Glibc

/// A header block in parts: HEADERS without END_HEADERS, and the CONTINUATIONs behind it (RFC 9113 §6.10).
struct HeaderAssembly {
  let streamID: Int32
  let endsStream: Bool
  var frameCount = 1

  /// Parts of one block. With frames of 16 KiB, four hold more headers than we take; an endless row of small ones is
  /// CVE-2024-27316 and its siblings.
  static let frameLimit = 16
  /// Bytes of one block before it is decoded.
  static let blockLimit = 64 << 10
}

// What comes in, frame by frame.
extension HTTP2Connection {
  final func receive(_ frame: FrameHeader, _ payload: UnsafePointer<UInt8>) throws(HTTP2ConnectionError) {
    guard hasSettings || frame.type == FrameType.settings else {
      throw HTTP2ConnectionError(.protocolError, "the first frame is not SETTINGS (RFC 9113 §3.4)")
    }
    guard assembly == nil || frame.type == FrameType.continuation else {
      throw HTTP2ConnectionError(.protocolError, "a frame of type \(frame.type) inside a header block (RFC 9113 §6.10)")
    }
    switch frame.type {
    case FrameType.data: try receiveData(frame, payload)
    case FrameType.headers: try receiveHeaders(frame, payload)
    case FrameType.continuation: try receiveContinuation(frame, payload)
    case FrameType.resetStream: try receiveReset(frame, payload)
    case FrameType.windowUpdate: try receiveWindowUpdate(frame, payload)
    case FrameType.settings: try receiveSettings(frame, payload)
    case FrameType.ping: try receivePing(frame, payload)
    case FrameType.goAway: try receiveGoAway(frame, payload)
    case FrameType.priority: try receivePriority(frame)
    case FrameType.pushPromise:
      throw HTTP2ConnectionError(.protocolError, "PUSH_PROMISE, which nobody asked for (RFC 9113 §8.4)")
    default: try countOddity("frames of unknown types")  // To be ignored: RFC 9113 §4.1.
    }
  }

  /// One more of what is legal one by one.
  final func countOddity(_ what: StaticString) throws(HTTP2ConnectionError) {
    guard oddities.take(now: loop.now) else {
      throw HTTP2ConnectionError(.enhanceYourCalm, "too many \(what)")
    }
  }

  // MARK: DATA (§6.1)

  private final func receiveData(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.streamID != 0 else { throw HTTP2ConnectionError(.protocolError, "DATA on stream 0") }
    guard frame.length <= receiveWindow else {
      throw HTTP2ConnectionError(.flowControlError, "DATA beyond the connection's window")
    }
    receiveWindow -= frame.length
    let data = try withoutPadding(frame, payload)
    guard let stream = streams[frame.streamID] else {
      consumeConnection(frame.length)
      guard !isIdle(frame.streamID) else {
        throw HTTP2ConnectionError(.protocolError, "DATA on stream \(frame.streamID), which is idle")
      }
      return try receivedOnClosed(frame.streamID)
    }
    guard !stream.inboundEnded else {
      consumeConnection(frame.length)
      return try streamError(stream, .streamClosed)
    }
    guard frame.length <= stream.receiveWindow else {
      consumeConnection(frame.length)
      return try streamError(stream, .flowControlError)
    }
    guard stream.acceptsData(count: data.count) else {
      consumeConnection(frame.length)
      return try streamError(stream, .protocolError)
    }
    stream.receiveWindow -= frame.length
    if data.count < frame.length {
      consumeConnection(frame.length - data.count)
      consume(stream, frame.length - data.count)
    }
    let ends = frame.flags & FrameFlags.endStream != 0
    if !data.isEmpty {
      stream.receive(data.baseAddress.unsafelyUnwrapped, count: data.count)
    } else if !ends {
      try countOddity("DATA frames without data")
    }
    if ends { try receiveEnd(stream) }
  }

  /// END_STREAM: the peer has said everything.
  final func receiveEnd(_ stream: HTTP2Stream) throws(HTTP2ConnectionError) {
    guard stream.connection != nil else { return }
    guard stream.bodyIsComplete else { return try streamError(stream, .protocolError) }
    stream.receiveEnd()
    if stream.outboundIsSent { remove(stream, .closed(http2Error: HTTP2ErrorCode.noError.rawValue)) }
  }

  /// The payload between the length of the padding and the padding.
  private final func withoutPadding(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) -> UnsafeBufferPointer<UInt8> {
    guard frame.flags & FrameFlags.padded != 0 else {
      return UnsafeBufferPointer(start: payload, count: frame.length)
    }
    guard frame.length > 0, Int(payload[0]) < frame.length else {
      throw HTTP2ConnectionError(.protocolError, "padding longer than its frame")
    }
    return UnsafeBufferPointer(start: payload + 1, count: frame.length - 1 - Int(payload[0]))
  }

  // MARK: HEADERS and CONTINUATION (§6.2, §6.10)

  private final func receiveHeaders(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.streamID != 0 else { throw HTTP2ConnectionError(.protocolError, "HEADERS on stream 0") }
    var block = try withoutPadding(frame, payload)
    if frame.flags & FrameFlags.priority != 0 {
      guard block.count >= 5 else {
        throw HTTP2ConnectionError(.frameSizeError, "HEADERS too short for the priority in it")
      }
      block = UnsafeBufferPointer(rebasing: block[5...])
    }
    let ends = frame.flags & FrameFlags.endStream != 0
    guard frame.flags & FrameFlags.endHeaders != 0 else {
      assembly = HeaderAssembly(streamID: frame.streamID, endsStream: ends)
      if let base = block.baseAddress { assembledBlock.append(base, count: block.count) }
      return
    }
    try receiveBlock(streamID: frame.streamID, endsStream: ends, block)
  }

  private final func receiveContinuation(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard var assembly, assembly.streamID == frame.streamID else {
      throw HTTP2ConnectionError(.protocolError, "CONTINUATION without the HEADERS before it")
    }
    assembly.frameCount += 1
    guard assembly.frameCount <= HeaderAssembly.frameLimit,
      assembledBlock.count + frame.length <= HeaderAssembly.blockLimit
    else {
      throw HTTP2ConnectionError(
        .enhanceYourCalm,
        "a header block of more than \(HeaderAssembly.frameLimit) frames or \(HeaderAssembly.blockLimit) bytes")
    }
    assembledBlock.append(payload, count: frame.length)
    guard frame.flags & FrameFlags.endHeaders != 0 else { return self.assembly = assembly }
    self.assembly = nil
    defer { assembledBlock.removeAll() }
    try receiveBlock(
      streamID: assembly.streamID, endsStream: assembly.endsStream,
      assembledBlock.bytes.assumingMemoryBound(to: UInt8.self))
  }

  // MARK: Streams that are not what the peer thinks (§5.1)

  /// The peer has broken HTTP/2 on one stream: RST_STREAM (§5.4.2). Each costs us one, so that they are counted.
  final func streamError(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) throws(HTTP2ConnectionError) {
    reset(stream, code)
    try countOddity("frames that reset their stream")
  }

  /// On a stream that has been there. What was under way when we reset it is ignored.
  private final func receivedOnClosed(_ streamID: Int32) throws(HTTP2ConnectionError) {
    guard !resetIDs.contains(streamID) else { return }
    sendReset(streamID: streamID, .streamClosed)
    try countOddity("frames on closed streams")
  }

  // MARK: RST_STREAM (§6.4)

  private final func receiveReset(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.length == 4 else {
      throw HTTP2ConnectionError(.frameSizeError, "RST_STREAM of \(frame.length) bytes")
    }
    guard frame.streamID != 0, !isIdle(frame.streamID) else {
      throw HTTP2ConnectionError(.protocolError, "RST_STREAM on stream \(frame.streamID), which is idle")
    }
    // At a server, each may have cost a call (CVE-2023-44487).
    if isServer { try countOddity("resets") }
    guard let stream = streams[frame.streamID] else { return }
    remove(stream, .closed(http2Error: loadBigEndian(payload)))
  }

  // MARK: SETTINGS (§6.5)

  private final func receiveSettings(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.streamID == 0 else { throw HTTP2ConnectionError(.protocolError, "SETTINGS on a stream") }
    if frame.flags & FrameFlags.acknowledgement != 0 {
      guard frame.length == 0 else { throw HTTP2ConnectionError(.frameSizeError, "an acknowledgement with SETTINGS") }
      guard hasSettings else { throw HTTP2ConnectionError(.protocolError, "the first frame is an acknowledgement") }
      return
    }
    guard frame.length % 6 == 0 else {
      throw HTTP2ConnectionError(.frameSizeError, "SETTINGS of \(frame.length) bytes")
    }
    for offset in stride(from: 0, to: frame.length, by: 6) {
      let id = UInt16(payload[offset]) << 8 | UInt16(payload[offset + 1])
      try apply(id, loadBigEndian(payload + offset + 2))
    }
    sendControl(type: FrameType.settings, flags: FrameFlags.acknowledgement)
    guard !hasSettings else { return try countOddity("SETTINGS") }
    hasSettings = true
    // The handshake's limit has been kept; from here on silence counts.
    startTimer()
    receivedFirstSettings()
  }

  private final func apply(_ id: UInt16, _ value: UInt32) throws(HTTP2ConnectionError) {
    switch id {
    case SettingID.headerTableSize: encoder.setTableSize(Int(value))
    case SettingID.enablePush:
      // A server may not even allow it, as nobody else pushes.
      guard value <= (isServer ? 1 : 0) else {
        throw HTTP2ConnectionError(.protocolError, "ENABLE_PUSH of \(value)")
      }
    case SettingID.maxConcurrentStreams: receivedStreamLimit(value)
    case SettingID.initialWindowSize:
      guard value <= UInt32(HTTP2Connection.largestWindow) else {
        throw HTTP2ConnectionError(.flowControlError, "INITIAL_WINDOW_SIZE of \(value)")
      }
      try setPeerStreamWindow(Int(value))
    case SettingID.maxFrameSize:
      guard (16384...16_777_215).contains(value) else {
        throw HTTP2ConnectionError(.protocolError, "MAX_FRAME_SIZE of \(value)")
      }
      // Larger frames than these would not fit what is gathered for one write.
      peerMaxFrameSize = min(Int(value), FrameHeader.defaultMaxFrameSize)
    default: break  // To be ignored: §6.5.2.
    }
  }

  // MARK: PING, GOAWAY, PRIORITY (§6.7, §6.8, §6.3)

  private final func receivePing(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.streamID == 0 else { throw HTTP2ConnectionError(.protocolError, "PING on a stream") }
    guard frame.length == 8 else { throw HTTP2ConnectionError(.frameSizeError, "PING of \(frame.length) bytes") }
    guard frame.flags & FrameFlags.acknowledgement == 0 else {
      pingSentAt = nil
      return receivedPingAcknowledgement()
    }
    // Peers send one with what they receive, to measure the way: grpc-go one a round trip as long as data comes. Those behind
    // something that we have sent cost less than what they follow.
    if !hasSentData { try countOddity("PINGs") }
    try receivedPing()
    hasSentData = false
    sendControl(
      type: FrameType.ping, flags: FrameFlags.acknowledgement,
      UnsafeRawBufferPointer(start: payload, count: frame.length))
  }

  private final func receiveGoAway(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.streamID == 0 else { throw HTTP2ConnectionError(.protocolError, "GOAWAY on a stream") }
    guard frame.length >= 8 else { throw HTTP2ConnectionError(.frameSizeError, "GOAWAY of \(frame.length) bytes") }
    try countOddity("GOAWAYs")
    receivedGoAway(
      lastStreamID: Int32(bitPattern: loadBigEndian(payload) & 0x7fff_ffff),
      HTTP2ErrorCode(rawValue: loadBigEndian(payload + 4)))
  }

  /// Nobody here prioritizes (RFC 9113 §5.3.2).
  private final func receivePriority(_ frame: FrameHeader) throws(HTTP2ConnectionError) {
    guard frame.streamID != 0 else { throw HTTP2ConnectionError(.protocolError, "PRIORITY on stream 0") }
    guard frame.length == 5 else {
      guard let stream = streams[frame.streamID] else {
        throw HTTP2ConnectionError(.frameSizeError, "PRIORITY of \(frame.length) bytes")
      }
      return try streamError(stream, .frameSizeError)
    }
    try countOddity("PRIORITY frames")
  }
}
