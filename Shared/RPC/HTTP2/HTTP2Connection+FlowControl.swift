// Who may send how much (RFC 9113 §5.2, §6.9).
extension HTTP2Connection {
  // MARK: What we may send

  final func receiveWindowUpdate(
    _ frame: FrameHeader, _ payload: UnsafePointer<UInt8>
  ) throws(HTTP2ConnectionError) {
    guard frame.length == 4 else {
      throw HTTP2ConnectionError(.frameSizeError, "WINDOW_UPDATE of \(frame.length) bytes")
    }
    let increment = Int(loadBigEndian(payload) & 0x7fff_ffff)
    guard frame.streamID != 0 else {
      guard increment > 0 else { throw HTTP2ConnectionError(.protocolError, "WINDOW_UPDATE by 0") }
      guard sendWindow + increment <= HTTP2Connection.largestWindow else {
        throw HTTP2ConnectionError(.flowControlError, "the connection's window is larger than 2^31-1")
      }
      sendWindow += increment
      return releaseQueue()
    }
    guard let stream = streams[frame.streamID] else {
      guard !isIdle(frame.streamID) else {
        throw HTTP2ConnectionError(.protocolError, "WINDOW_UPDATE on stream \(frame.streamID), which is idle")
      }
      return
    }
    guard increment > 0 else { return try streamError(stream, .protocolError) }
    guard stream.sendWindow + increment <= HTTP2Connection.largestWindow else {
      return try streamError(stream, .flowControlError)
    }
    stream.sendWindow += increment
    if stream.waitsForWindow {
      stream.waitsForWindow = false
      makeReady(stream)
    }
  }

  /// The connection's window is open again.
  private final func releaseQueue() {
    guard sendWindow > 0 else { return }
    while let stream = held.first {
      held.remove(stream)
      stream.place = .none
      makeReady(stream)
    }
  }

  /// SETTINGS_INITIAL_WINDOW_SIZE moves the windows of all open streams, below zero if it has to (§6.9.2).
  final func setPeerStreamWindow(_ size: Int) throws(HTTP2ConnectionError) {
    let change = size - peerStreamWindow
    guard change != 0 else { return }
    peerStreamWindow = size
    // Every change costs as much as there are streams.
    try countOddity("changes of the window")
    for stream in streams.all {
      stream.sendWindow += change
      guard stream.sendWindow <= HTTP2Connection.largestWindow else {
        throw HTTP2ConnectionError(.flowControlError, "a stream's window is larger than 2^31-1")
      }
      if stream.sendWindow > 0, stream.waitsForWindow {
        stream.waitsForWindow = false
        makeReady(stream)
      }
    }
  }

  // MARK: What the peer may send

  /// Bytes have arrived that a reader has still to take.
  @inline(__always) final func hold(_ stream: HTTP2Stream, _ count: Int) {
    stream.heldCount += count
    heldBytes += count
    if heldBytes <= HTTP2Connection.heldBytesLimit {
      consumeConnection(count)
    } else {
      stream.connectionCredit += count
    }
  }

  /// A reader has taken bytes, or nobody will: the peer may send as many again.
  @inline(__always) final func release(_ stream: HTTP2Stream, _ count: Int) {
    guard count > 0, !isClosed else { return }
    stream.heldCount -= count
    heldBytes -= count
    let credit = min(stream.connectionCredit, count)
    if credit > 0 {
      stream.connectionCredit -= credit
      consumeConnection(credit)
    }
    consume(stream, count)
  }

  /// The stream is over, and nobody takes what it still holds.
  final func abandonHeldBytes(of stream: HTTP2Stream) {
    heldBytes -= stream.heldCount
    stream.heldCount = 0
    guard stream.connectionCredit > 0, !isClosed else { return }
    consumeConnection(stream.connectionCredit)
    stream.connectionCredit = 0
  }

  /// Opens the connection's window again, half of it at a time.
  @inline(__always) final func consumeConnection(_ count: Int) {
    consumedCount += count
    guard consumedCount >= HTTP2Connection.connectionWindow / 2 else { return }
    sendWindowUpdate(streamID: 0, consumedCount)
    receiveWindow += consumedCount
    consumedCount = 0
  }

  /// Opens a stream's window again, half of it at a time.
  @inline(__always) final func consume(_ stream: HTTP2Stream, _ count: Int) {
    stream.consumedCount += count
    // A peer that has said everything on the stream needs no room there any more.
    guard stream.consumedCount >= HTTP2Connection.streamWindow / 2, !stream.inboundEnded, stream.connection != nil
    else {
      return
    }
    sendWindowUpdate(streamID: stream.id, stream.consumedCount)
    stream.receiveWindow += stream.consumedCount
    stream.consumedCount = 0
  }
}
