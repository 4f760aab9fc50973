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
  fileprivate final var headerStream: Unmanaged<HTTP2Stream>?
  private final unowned(unsafe) var firstStream: HTTP2Stream?
  private final var isDirty = false
  private final var unsent = ByteQueue()
  private final var waitsForWritable = false
  private final var resets: [(id: Int32, code: nghttp2_error_code)] = []
  /// Bytes that wait in streams for a reader.
  private final var heldBytes = 0

  /// Unread bytes of all streams together beyond which the connection's own window is not opened further. Up to here a
  /// stream that nobody reads does not hold up its neighbours.
  private static let heldBytesLimit = 16 << 20
  /// How much a peer may send on one stream, and on the connection, before it has to wait for us.
  static let streamWindow: Int32 = 1 << 20
  static let connectionWindow: Int32 = 16 << 20

  /// Takes over a connected or connecting non-blocking socket.
  init(descriptor: Int32, loop: EventLoop) {
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
  /// The peer has answered our PING.
  func receivedPingAcknowledgement() {}
  /// The socket is gone and no stream is left.
  func didClose() {}
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
    didClose()
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
  fileprivate final func remove(_ stream: HTTP2Stream, _ end: HTTP2Stream.End) {
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
    stream.connection = nil
    stream.didClose(end)
    Unmanaged.passUnretained(stream).release()
    streamDidClose()
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
    nghttp2_session_consume_stream(session, stream.id, count)
    let credit = min(stream.connectionCredit, count)
    if credit > 0 {
      stream.connectionCredit -= credit
      nghttp2_session_consume_connection(session, credit)
    }
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

  // MARK: nghttp2's callbacks

  /// Registers the callbacks that server and client share. The session's user data is the connection, unretained: the
  /// loop holds the connection while it is registered, and holds it across every call into the session.
  static func makeCallbacks() -> OpaquePointer {
    var callbacks: OpaquePointer?
    // Fails only without memory.
    guard nghttp2_session_callbacks_new(&callbacks) == 0, let callbacks else { fatalError("out of memory") }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, connection in
      guard let frame, let connection else { return 0 }
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        let category = frame.pointee.headers.cat
        let isFirst = category == NGHTTP2_HCAT_REQUEST || category == NGHTTP2_HCAT_RESPONSE
        $0.headerStream = $0.beginHeaders(streamID: frame.pointee.hd.stream_id, isFirst: isFirst)
          .map(Unmanaged.passUnretained)
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_header_callback2(callbacks) { _, _, name, value, _, connection in
      guard let name, let value, let connection else { return 0 }
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        $0.headerStream?._withUnsafeGuaranteedRef { $0.receiveHeader(name: nghttp2_rcbuf_get_buf(name), value: value) }
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { session, _, id, data, count, connection in
      guard let data, let connection else { return 0 }
      if let pointer = nghttp2_session_get_stream_user_data(session, id) {
        Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef { $0.receive(data, count: count) }
      } else {
        // Nobody's data still counts against the windows.
        nghttp2_session_consume(session, id, count)
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef { $0.setNeedsFlush() }
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { session, frame, connection in
      guard let frame, let connection else { return 0 }
      let header = frame.pointee.hd
      switch Int(header.type) {
      case Int(NGHTTP2_HEADERS.rawValue), Int(NGHTTP2_DATA.rawValue):
        let ends = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
        let isHeaders = Int(header.type) == Int(NGHTTP2_HEADERS.rawValue)
        guard ends || isHeaders, let pointer = nghttp2_session_get_stream_user_data(session, header.stream_id) else {
          return 0
        }
        Unmanaged<HTTP2Stream>.fromOpaque(pointer)._withUnsafeGuaranteedRef {
          if isHeaders { $0.headersEnded(endsStream: ends) }
          if ends { $0.receiveEnd() }
        }
      case Int(NGHTTP2_GOAWAY.rawValue):
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
          $0.receivedGoAway(
            lastStreamID: frame.pointee.goaway.last_stream_id, errorCode: frame.pointee.goaway.error_code)
        }
      case Int(NGHTTP2_PING.rawValue) where header.flags & UInt8(NGHTTP2_FLAG_ACK.rawValue) != 0:
        Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef { $0.receivedPingAcknowledgement() }
      default: break
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { session, id, error, connection in
      guard let connection, let pointer = nghttp2_session_get_stream_user_data(session, id) else { return 0 }
      nghttp2_session_set_stream_user_data(session, id, nil)
      Unmanaged<HTTP2Connection>.fromOpaque(connection)._withUnsafeGuaranteedRef {
        $0.remove(Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue(), .closed(http2Error: error))
      }
      return 0
    }
    return callbacks
  }

  /// Options that server and client share.
  static func makeOptions() -> OpaquePointer {
    var options: OpaquePointer?
    guard nghttp2_option_new(&options) == 0, let options else { fatalError("out of memory") }
    // Windows open when a reader has taken the bytes, not when they arrive.
    nghttp2_option_set_no_auto_window_update(options, 1)
    // Closed streams are of use for prioritisation only, which gRPC has none of.
    nghttp2_option_set_no_closed_streams(options, 1)
    return options
  }
}
