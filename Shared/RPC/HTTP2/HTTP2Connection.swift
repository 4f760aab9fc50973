import CNghttp2
import EventLoop
import Glibc

/// One HTTP/2 connection: the socket on one side, an nghttp2 session on the other. What server and client share.
///
/// Threading: a connection belongs to one event loop from the first byte to the last, and so do its streams. Nothing
/// here is locked, and nothing here may be called from elsewhere.
///
/// A readable socket is read once, 64 KiB at most, and all of it passes through nghttp2, whose callbacks fill the
/// streams and run synchronous handlers. Async handlers run after the batch, as jobs of the loop. Then `flush` gathers
/// everything that is to be sent in one write. The session is never closed inside one of its own callbacks.
///
/// Sendable because tasks of the loop hold it; the invariant is the above: it is touched on its loop only.
class HTTP2Connection: FileEventHandler, Flushable, @unchecked Sendable {
  final let descriptor: Int32
  final let loop: EventLoop
  final private(set) var isClosed = false
  final private(set) var streamCount = 0

  /// Set once, by `start`, which every subclass's initializer calls.
  final private(set) var session: OpaquePointer!

  /// The stream whose header block is being received; HTTP/2 does not interleave them (RFC 9113 §4.3). Unretained:
  /// `remove` clears it.
  final var headerStream: Unmanaged<HTTP2Stream>?
  private final unowned(unsafe) var firstStream: HTTP2Stream?
  private final var isDirty = false
  private final var unsent = ByteQueue()
  private final var waitsForWritable = false
  private final var resets: [(id: Int32, code: nghttp2_error_code)] = []
  /// Bytes that wait in streams for a reader.
  private final var heldBytes = 0
  /// Bytes of messages that have arrived in part: the windows open for the rest, so that those held do not include them.
  final var unfinishedCount = 0
  /// Bytes of large responses whose streams are still open.
  final var unsentCount = 0
  /// What all streams together may have in their queues, each way, before a server refuses calls: a peer that leaves a
  /// thousand messages unfinished, or a thousand answers unread, must not fill the memory.
  final let bufferLimit: Int
  /// Frames that the peer should not have sent.
  private final var invalidFrames = 0

  /// Invalid frames beyond which the connection ends. Each costs us a stream that is opened and reset, and the limit that
  /// nghttp2 has on resets counts only those that the peer asks for (CVE-2025-8671, "MadeYouReset").
  private static let invalidFrameLimit = 1000
  /// Unread bytes of all streams together beyond which the connection's own window is not opened further. Up to here a
  /// stream that nobody reads does not hold up its neighbours.
  private static let heldBytesLimit = 16 << 20
  /// How much a peer may send on one stream, and on the connection, before it has to wait for us.
  static let streamWindow: Int32 = 1 << 20
  static let connectionWindow: Int32 = 16 << 20

  /// Takes over a connected or connecting non-blocking socket.
  init(descriptor: Int32, loop: EventLoop, bufferLimit: Int = .max) {
    self.bufferLimit = bufferLimit
    self.descriptor = descriptor
    self.loop = loop
  }

  final func start(session: OpaquePointer, settings: [nghttp2_settings_entry], events: FileEvents = .readable) {
    self.session = session
    nghttp2_submit_settings(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), settings, settings.count)
    nghttp2_session_set_local_window_size(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, HTTP2Connection.connectionWindow)
    loop.register(descriptor, self, for: events)
    setNeedsFlush()
  }

  deinit {
    nghttp2_session_del(session)
  }

  // MARK: For subclasses

  /// A header block begins. Returns the stream that it belongs to, nil if it is to be ignored.
  func beginHeaders(streamID: Int32, isFirst: Bool) -> HTTP2Stream? { nil }
  /// The peer takes no streams above `lastStreamID` (RFC 9113 §6.8).
  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32) {}
  /// The peer has sent SETTINGS, which it begins with (RFC 9113 §3.4).
  func receivedSettings() {}
  /// The peer has answered our PING.
  func receivedPingAcknowledgement() {}
  /// The socket is gone and no stream is left.
  func didClose(_ reason: RPCError) {}
  /// A stream is over.
  func streamDidClose() {}
  /// The socket is writable, which is how a connect attempt reports its end.
  func becameWritable() -> Bool { true }

  // MARK: Socket

  final func handle(_ events: FileEvents) {
    if events.contains(.writable) {
      guard becameWritable() else { return }
      setNeedsFlush()
    }
    guard !isClosed, !events.isDisjoint(with: [.readable, .hangUp, .error]) else { return }
    let count = read(descriptor, loop.readBuffer.baseAddress, loop.readBuffer.count)
    if count > 0 {
      let bytes = loop.readBuffer.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: UInt8.self)
      let result = nghttp2_session_mem_recv(session, bytes, count)
      if result < 0 {
        return close(RPCError(.unavailable, "the peer does not speak HTTP/2: \(HTTP2Connection.text(Int32(result)))"))
      }
      setNeedsFlush()
    } else if count == 0 {
      close(RPCError(.unavailable, "the peer closed the connection"))
    } else if errno != EAGAIN && errno != EINTR {
      close(RPCError(.unavailable, "the connection broke: \(SystemError("read").reason)"))
    }
  }

  @inline(__always) final func setNeedsFlush() {
    guard !isDirty, !isClosed else { return }
    isDirty = true
    loop.scheduleFlush(self)
  }

  final func flush() {
    isDirty = false
    guard !isClosed, writeUnsent() else { return }
    let buffer = loop.writeBuffer
    var used = 0
    while true {
      var data: UnsafePointer<UInt8>?
      let count = nghttp2_session_mem_send(session, &data)
      guard count > 0, let data else {
        if count < 0 { return close(RPCError(.internalError, HTTP2Connection.text(Int32(count)))) }
        if submitResets() { continue }
        break
      }
      if used + count > buffer.count {
        guard write(UnsafeRawBufferPointer(rebasing: buffer[..<used])) else {
          return unsent.append(data, count: count)
        }
        used = 0
      }
      memcpy(buffer.baseAddress.unsafelyUnwrapped + used, data, count)
      used += count
    }
    guard write(UnsafeRawBufferPointer(rebasing: buffer[..<used])) else { return }
    if waitsForWritable {
      waitsForWritable = false
      loop.modify(descriptor, for: .readable)
    }
    if nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 {
      close(RPCError(.unavailable, "the connection ended"))
    }
  }

  /// Asks for RST_STREAM once everything that is queued has been sent. At once would be too early: nghttp2 drops what a
  /// stream still has to send as soon as its reset is submitted.
  final func resetAfterSending(_ id: Int32, _ code: nghttp2_error_code) {
    resets.append((id, code))
    setNeedsFlush()
  }

  private final func submitResets() -> Bool {
    guard !resets.isEmpty else { return false }
    for (id, code) in resets {
      nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), id, code.rawValue)
    }
    resets.removeAll()
    return true
  }

  private final func writeUnsent() -> Bool {
    while !unsent.isEmpty {
      let count = Glibc.send(descriptor, unsent.bytes.baseAddress, unsent.count, Int32(MSG_NOSIGNAL))
      if count > 0 {
        unsent.removeFirst(count)
      } else if errno == EAGAIN {
        return false
      } else if errno != EINTR {
        close(RPCError(.unavailable, "the connection broke: \(SystemError("send").reason)"))
        return false
      }
    }
    return true
  }

  /// False when the socket is full or gone; what it did not take is kept and goes first when it is writable again.
  private final func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    var offset = 0
    while offset < bytes.count {
      let count = Glibc.send(descriptor, base + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
      if count > 0 {
        offset += count
      } else if errno == EAGAIN {
        unsent.append(base + offset, count: bytes.count - offset)
        if !waitsForWritable {
          waitsForWritable = true
          loop.modify(descriptor, for: [.readable, .writable])
        }
        return false
      } else if errno != EINTR {
        close(RPCError(.unavailable, "the connection broke: \(SystemError("send").reason)"))
        return false
      }
    }
    return true
  }

  /// Ends the connection at once. Every stream that is still open ends with `reason`.
  final func close(_ reason: RPCError) {
    guard !isClosed else { return }
    isClosed = true
    loop.deregister(descriptor)
    Glibc.close(descriptor)
    while let stream = firstStream {
      remove(stream, .connectionLost(reason))
    }
    didClose(reason)
  }

  // MARK: Streams

  /// Takes a stream in; it stays alive until nghttp2 or the connection closes it.
  final func add(_ stream: HTTP2Stream) {
    let reference = Unmanaged.passRetained(stream)
    nghttp2_session_set_stream_user_data(session, stream.id, reference.toOpaque())
    stream.previousStream = nil
    stream.nextStream = firstStream
    firstStream?.previousStream = stream
    firstStream = stream
    streamCount += 1
  }

  /// The counterpart of `add`.
  final func remove(_ stream: HTTP2Stream, _ end: HTTP2Stream.End) {
    if let previous = stream.previousStream {
      previous.nextStream = stream.nextStream
    } else {
      firstStream = stream.nextStream
    }
    stream.nextStream?.previousStream = stream.previousStream
    stream.nextStream = nil
    stream.previousStream = nil
    streamCount -= 1
    if headerStream?.toOpaque() == Unmanaged.passUnretained(stream).toOpaque() { headerStream = nil }
    abandonHeldBytes(of: stream)
    unfinishedCount -= stream.unfinishedCount
    unsentCount -= stream.unsentCount
    stream.connection = nil
    stream.didClose(end)
    // Whatever the subclass made of it: nobody may wait for a stream that is gone.
    stream.wakeReader()
    stream.wakeWriter()
    Unmanaged.passUnretained(stream).release()
    streamDidClose()
  }

  /// The peer has sent a frame that HTTP/2 does not allow where it came; nghttp2 has reset its stream.
  final func receivedInvalidFrame() {
    invalidFrames += 1
    guard invalidFrames == HTTP2Connection.invalidFrameLimit else { return }
    nghttp2_session_terminate_session(session, NGHTTP2_ENHANCE_YOUR_CALM.rawValue)
    setNeedsFlush()
  }

  /// Headers of ours can't be sent: nghttp2 takes 64 KiB of them at most. Without them the peer would wait for ever.
  final func couldNotSendHeaders(streamID: Int32, _ error: Int32) {
    // Errors that mean that the stream is closing, or is not to be opened, are nghttp2's to deal with.
    guard error == NGHTTP2_ERR_FRAME_SIZE_ERROR.rawValue || error == NGHTTP2_ERR_HEADER_COMP.rawValue else { return }
    nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), streamID, NGHTTP2_INTERNAL_ERROR.rawValue)
    setNeedsFlush()
  }

  // MARK: Flow control (RFC 9113 §5.2)

  /// Bytes have arrived that a reader has still to take.
  @inline(__always) final func hold(_ stream: HTTP2Stream, _ count: Int) {
    stream.heldCount += count
    heldBytes += count
    if heldBytes <= HTTP2Connection.heldBytesLimit {
      nghttp2_session_consume_connection(session, count)
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
      nghttp2_session_consume_connection(session, credit)
      setNeedsFlush()
    }
    // A peer that has said everything on the stream needs no room there any more.
    guard !stream.inboundEnded else { return }
    nghttp2_session_consume_stream(session, stream.id, count)
    setNeedsFlush()
  }

  /// The stream is over, and nobody takes what it still holds.
  private final func abandonHeldBytes(of stream: HTTP2Stream) {
    heldBytes -= stream.heldCount
    stream.heldCount = 0
    guard stream.connectionCredit > 0, !isClosed else { return }
    nghttp2_session_consume_connection(session, stream.connectionCredit)
    stream.connectionCredit = 0
    setNeedsFlush()
  }

  static func text(_ code: Int32) -> String { String(cString: nghttp2_strerror(code)) }
}
