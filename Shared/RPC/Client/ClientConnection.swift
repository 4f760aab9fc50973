import CNghttp2
import CSystem
import EventLoop
import Glibc

/// A connection to one address.
///
/// Sendable as every connection is: touched on its loop only.
final class ClientConnection: HTTP2Connection, @unchecked Sendable {
  private let authority: [UInt8]
  private weak var owner: Subchannel?
  private var isConnected = false
  private var isReady = false
  /// The peer takes no new calls.
  private(set) var isGoingAway = false

  // Immutable once made, as nghttp2 only reads them.
  nonisolated(unsafe) private static let callbacks = makeCallbacks()
  nonisolated(unsafe) private static let options = makeClientOptions()

  /// Fields that every request has. Immutable, pointing to constants.
  nonisolated(unsafe) private static let fields = [
    HeaderField.constant(":method", "POST"), HeaderField.constant(":scheme", "http"),
    HeaderField.constant("te", "trailers"), HeaderField.constant("content-type", "application/grpc"),
    HeaderField.constant("user-agent", "oms-connector"),
  ]

  private static func makeClientOptions() -> OpaquePointer {
    let options = makeOptions()
    // Until the peer's SETTINGS say how many streams it takes.
    nghttp2_option_set_peer_max_concurrent_streams(options, 100)
    return options
  }

  /// Begins to connect. The owner hears how it went.
  init(to address: Address, loop: EventLoop, owner: Subchannel) throws(SystemError) {
    let descriptor = try ClientConnection.connect(to: address)
    switch address {
    case .unix: authority = Array("localhost".utf8)
    case .tcp: authority = Array(address.description.utf8)
    }
    self.owner = owner
    super.init(descriptor: descriptor, loop: loop)
    var session: OpaquePointer?
    let user = Unmanaged.passUnretained(self as HTTP2Connection).toOpaque()
    guard nghttp2_session_client_new2(&session, ClientConnection.callbacks, user, ClientConnection.options) == 0,
      let session
    else { fatalError("out of memory") }
    start(
      session: session,
      settings: [
        nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
        nghttp2_settings_entry(
          settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(HTTP2Connection.streamWindow)
        ),
      ], events: [.readable, .writable])
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
  override func receivedSettings() {
    guard !isReady else { return }
    isReady = true
    owner?.didConnect(self)
  }

  // MARK: Calls

  /// Starts a call: its headers go out with the next flush, its messages as they are queued.
  /// - Throws: what ended the call before it began (its caller may have been cancelled); UNAVAILABLE when the connection has
  ///   closed since it was picked: a caller that waited for it is resumed a moment later, and nobody would end its call.
  func open(
    _ stream: ClientStream, path: String, metadata: Metadata, deadline: UInt64?
  ) throws(RPCError) {
    if let failure = stream.failure { throw failure }
    guard !isClosed else { throw RPCError(.unavailable, "the connection broke before \(path) was sent") }
    var others: [(name: String, value: [UInt8])] = [
      (name: ":path", value: Array(path.utf8)), (name: ":authority", value: authority),
    ]
    if let deadline {
      let now = EventLoop.monotonicNanoseconds()
      guard deadline > now else { throw RPCError(.deadlineExceeded, "the deadline passed before \(path) was sent") }
      others.append((name: "grpc-timeout", value: Array(Timeout.format(nanoseconds: deadline - now).utf8)))
    }
    others += metadata.sendable
    // Pseudo-header fields come first (RFC 9113 §8.3).
    let constants = Array(ClientConnection.fields[..<2])
    let provider = stream.dataProvider
    let regular = Array(ClientConnection.fields[2...])
    let id = HeaderField.withFields(constants, Array(others[..<2])) { pseudo, pseudoCount in
      HeaderField.withFields(regular, Array(others[2...])) { rest, restCount in
        var all = Array(UnsafeBufferPointer(start: pseudo, count: pseudoCount))
        all += UnsafeBufferPointer(start: rest, count: restCount)
        var provider = provider
        return nghttp2_submit_request(session, nil, all, all.count, &provider, nil)
      }
    }
    guard id > 0 else {
      // Out of stream ids or going away: the next connection takes it.
      isGoingAway = true
      owner?.isGoingAway(self)
      throw RPCError(.unavailable, "the connection takes no more calls: \(HTTP2Connection.text(id))")
    }
    stream.id = id
    stream.connection = self
    add(stream)
    if let deadline { loop.schedule(stream, at: deadline) }
    setNeedsFlush()
  }

  override func beginHeaders(streamID: Int32, isFirst: Bool) -> HTTP2Stream? {
    guard let pointer = nghttp2_session_get_stream_user_data(session, streamID) else { return nil }
    return Unmanaged<HTTP2Stream>.fromOpaque(pointer).takeUnretainedValue()
  }

  override func receivedGoAway(lastStreamID: Int32, errorCode: UInt32) {
    guard !isGoingAway else { return }
    isGoingAway = true
    owner?.isGoingAway(self)
  }

  override func streamDidClose() {
    if isGoingAway && streamCount == 0 { endWhenIdle() }
  }

  /// Closes once the last call has ended; takes no new ones.
  func endWhenIdle() {
    isGoingAway = true
    guard streamCount == 0, !isClosed else { return }
    nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR.rawValue)
    setNeedsFlush()
  }

  override func didClose(_ reason: RPCError) { owner?.didClose(self, reason) }
}
