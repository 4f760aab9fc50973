import CNghttp2
import EventLoop
import Glibc

/// A client's connection.
///
/// Sendable as every connection is: touched on its loop only.
final class ServerConnection: HTTP2Connection, @unchecked Sendable {
  let server: Server
  private unowned let home: ServerLoop

  // Clients call the same method again and again, and HPACK's dynamic table then hands out the same buffer.
  private var lastPath: OpaquePointer?
  private var lastMethod: Method?

  private var drain = Drain.no
  private enum Drain { case no, announced, final }
  private var drainTimer: DrainTimer?

  /// How long a client has to answer the PING behind the first GOAWAY before the second one goes out without it.
  private static let drainPatience: UInt64 = 1_000_000_000

  // Immutable once made, as nghttp2 only reads them.
  nonisolated(unsafe) private static let callbacks = makeCallbacks()
  nonisolated(unsafe) private static let options = makeOptions()

  init(descriptor: Int32, home: ServerLoop, server: Server) {
    self.server = server
    self.home = home
    super.init(descriptor: descriptor, loop: home.loop, bufferLimit: server.options.connectionBufferLimit)
    var session: OpaquePointer?
    let user = Unmanaged.passUnretained(self as HTTP2Connection).toOpaque()
    guard nghttp2_session_server_new2(&session, ServerConnection.callbacks, user, ServerConnection.options) == 0,
      let session
    else { fatalError("out of memory") }
    start(
      session: session,
      settings: [
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue),
          value: server.options.concurrentStreamLimit),
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(HTTP2Connection.streamWindow)
        ),
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue),
          value: UInt32(server.options.headerListLimit)),
      ])
  }

  deinit {
    if let lastPath { nghttp2_rcbuf_decref(lastPath) }
  }

  override func beginHeaders(streamID: Int32, isFirst: Bool) -> HTTP2Stream? {
    guard isFirst else {
      guard let pointer = nghttp2_session_get_stream_user_data(session, streamID) else { return nil }
      return Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
    }
    let stream = ServerStream(connection: self, id: streamID)
    add(stream)
    return stream
  }

  func method(for buffer: OpaquePointer, _ path: nghttp2_vec) -> Method? {
    if buffer == lastPath { return lastMethod }
    let method = server.method(path.bytes)
    if let lastPath { nghttp2_rcbuf_decref(lastPath) }
    nghttp2_rcbuf_incref(buffer)
    lastPath = buffer
    lastMethod = method
    return method
  }

  override func didClose(_ reason: RPCError) {
    if let drainTimer { loop.cancel(drainTimer) }
    drainTimer = nil
    home.remove(self)
  }

  // MARK: Graceful end (RFC 9113 §6.8)

  /// Announces the end, so that the client starts no new calls here; those that are on their way are still answered.
  /// The connection closes when the last call has ended.
  func beginDrain() {
    guard drain == .no, !isClosed else { return }
    drain = .announced
    nghttp2_submit_shutdown_notice(session)
    nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    let timer = DrainTimer(self)
    drainTimer = timer
    loop.schedule(timer, at: EventLoop.monotonicNanoseconds() &+ ServerConnection.drainPatience)
    setNeedsFlush()
  }

  override func receivedPingAcknowledgement() { finishDrain() }

  /// A round trip after the announcement: whatever the client started before it had read it has arrived.
  fileprivate func finishDrain() {
    guard drain == .announced, !isClosed else { return }
    drain = .final
    if let drainTimer { loop.cancel(drainTimer) }
    nghttp2_submit_goaway(
      session, UInt8(NGHTTP2_FLAG_NONE.rawValue), nghttp2_session_get_last_proc_stream_id(session),
      NGHTTP2_NO_ERROR.rawValue, nil, 0)
    setNeedsFlush()
  }

  /// A closed stream may have been the last one that a draining connection waited for.
  override func streamDidClose() {
    if drain == .final { setNeedsFlush() }
  }
}

private final class DrainTimer: LoopTimer {
  private weak var connection: ServerConnection?
  init(_ connection: ServerConnection) { self.connection = connection }
  override func fire() { connection?.finishDrain() }
}
