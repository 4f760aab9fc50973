import Glibc

// What goes out. Control frames are complete as soon as they are asked for; a stream's data becomes frames in `flush`.
extension HTTP2Connection {
  // MARK: Control frames

  final func sendControl(
    type: UInt8, flags: UInt8 = 0, streamID: Int32 = 0, _ payload: UnsafeRawBufferPointer = .init(start: nil, count: 0)
  ) {
    let start = control.reserve(FrameHeader.byteCount + payload.count)
    FrameHeader.write(
      length: payload.count, type: type, flags: flags, streamID: streamID, to: start.assumingMemoryBound(to: UInt8.self)
    )
    if let base = payload.baseAddress { memcpy(start + FrameHeader.byteCount, base, payload.count) }
    control.advance(FrameHeader.byteCount + payload.count)
    if !isServer, type == FrameType.headers || type == FrameType.continuation {
      requestBytes += FrameHeader.byteCount + payload.count
    }
    setNeedsFlush()
  }

  private final func sendControl(type: UInt8, streamID: Int32, number: UInt32) {
    withUnsafeBytes(of: number.bigEndian) { sendControl(type: type, streamID: streamID, $0) }
  }

  final func sendSettings(_ settings: [(id: UInt16, value: UInt32)]) {
    var payload: [UInt8] = []
    for (id, value) in settings {
      withUnsafeBytes(of: id.bigEndian) { payload += $0 }
      withUnsafeBytes(of: value.bigEndian) { payload += $0 }
    }
    payload.withUnsafeBytes { sendControl(type: FrameType.settings, $0) }
  }

  final func sendWindowUpdate(streamID: Int32, _ increment: Int) {
    sendControl(type: FrameType.windowUpdate, streamID: streamID, number: UInt32(increment))
  }

  final func sendReset(streamID: Int32, _ code: HTTP2ErrorCode) {
    resetIDs.insert(streamID)
    sendControl(type: FrameType.resetStream, streamID: streamID, number: code.rawValue)
  }

  final func sendPing() {
    withUnsafeBytes(of: UInt64(0)) { sendControl(type: FrameType.ping, $0) }
  }

  final func sendGoAway(lastStreamID: Int32, _ code: HTTP2ErrorCode, _ reason: String = "") {
    var payload: [UInt8] = []
    withUnsafeBytes(of: lastStreamID.bigEndian) { payload += $0 }
    withUnsafeBytes(of: code.rawValue.bigEndian) { payload += $0 }
    payload += reason.utf8.prefix(256)
    payload.withUnsafeBytes { sendControl(type: FrameType.goAway, $0) }
  }

  // MARK: Header blocks

  /// Encodes a header block into HEADERS, and CONTINUATIONs when it is long, right now: what is encoded later has to
  /// leave later.
  /// - Returns: false when it is larger than any peer takes; nothing is sent then.
  final func sendHeaders(
    streamID: Int32, endsStream: Bool, _ encode: (inout HeaderEncoder, inout ByteQueue) -> Void
  ) -> Bool {
    var block = ByteQueue()
    let mark = encoder.mark
    encoder.beginBlock(&block)
    encode(&encoder, &block)
    guard block.count <= HTTP2Connection.outgoingHeaderLimit else {
      encoder.restore(mark)
      return false
    }
    var rest = block.bytes
    var type = FrameType.headers
    var flags = endsStream ? FrameFlags.endStream : 0
    repeat {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(peerMaxFrameSize))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
      if rest.isEmpty { flags |= FrameFlags.endHeaders }
      sendControl(type: type, flags: flags, streamID: streamID, part)
      (type, flags) = (FrameType.continuation, 0)
    } while !rest.isEmpty
    return true
  }

  // MARK: Data

  /// The stream has something to send: headers that it owes, data, or its end.
  @inline(__always) final func makeReady(_ stream: HTTP2Stream) {
    // Without an id it waits for its turn to begin.
    guard stream.place == .none, !stream.waitsForWindow, stream.id > 0 else { return }
    stream.place = .ready
    ready.append(stream)
    setNeedsFlush()
  }

  final func leaveQueue(_ stream: HTTP2Stream) {
    switch stream.place {
    case .none: return
    case .ready: ready.remove(stream)
    case .held: held.remove(stream)
    }
    stream.place = .none
  }

  /// Sends a frame of the first stream's data at most, and what comes before and after it.
  ///
  /// A message is of use when it is there as a whole: a stream goes on until it has sent what a large one has, and only then
  /// the next one has its turn. By frames, all would be done at the end.
  @inline(__always) final func send(_ stream: HTTP2Stream, _ output: inout Output) {
    hasSentData = true
    if stream.owesHeaders { appendOwedHeaders(stream, to: &output) }
    let waiting = stream.outbound.count
    if waiting > 0 {
      let count = min(waiting, peerMaxFrameSize, min(sendWindow, stream.sendWindow))
      guard count > 0 else { return wait(stream) }
      let ends = count == waiting && stream.outboundEnded && stream.endsWithData
      output.appendFrameHeader(
        length: count, type: FrameType.data, flags: ends ? FrameFlags.endStream : 0, streamID: stream.id)
      let bytes = UnsafeRawBufferPointer(rebasing: stream.outbound.bytes[..<count])
      if count >= Output.smallestReference, count < waiting, tls == nil {
        // The queue is not empty afterwards, so that the memory stays; nobody adds to it, or moves it, during a flush.
        output.append(reference: bytes)
      } else {
        output.append(bytes)
      }
      stream.outbound.removeFirst(count)
      sendWindow -= count
      stream.sendWindow -= count
      turnCount += count
    } else if stream.outboundEnded && stream.endsWithData {
      output.appendFrameHeader(length: 0, type: FrameType.data, flags: FrameFlags.endStream, streamID: stream.id)
    }
    stream.didSend()
    if !stream.outbound.isEmpty && turnCount < HTTP2Connection.turnLimit { return }
    turnCount = 0
    ready.remove(stream)
    guard stream.outbound.isEmpty else { return ready.append(stream) }
    stream.place = .none
    guard stream.outboundEnded else { return }
    stream.outboundIsSent = true
    endStream(stream, &output)
  }

  /// A window is closed: the stream leaves the row until it opens.
  private final func wait(_ stream: HTTP2Stream) {
    turnCount = 0
    ready.remove(stream)
    if stream.sendWindow <= 0 {
      stream.place = .none
      stream.waitsForWindow = true
    } else {
      stream.place = .held
      held.append(stream)
    }
  }
}
