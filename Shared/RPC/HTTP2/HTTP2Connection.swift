import EventLoop
import Glibc

/// One HTTP/2 connection: frames in, frames out (RFC 9113). What server and client share.
///
/// # Threads
///
/// A connection belongs to one event loop from the first byte to the last, and so do its streams. Nothing here is locked,
/// and nothing here may be called from elsewhere: other threads go through `EventLoop.execute` or `perform`, as `Server`,
/// `Channel` and the readers and writers of streams do for their callers. Only the last reference to a stream may go
/// anywhere, with the task that held it.
///
/// # Reading
///
/// A readable socket is read once, as much as `EventLoop.readBuffer` holds. Every frame that is complete is looked at where
/// it lies; what is left of an incomplete one is kept and goes before the next read. Frames fill the streams and run
/// synchronous handlers; async handlers run after the batch, as jobs of the loop.
///
/// # Writing
///
/// Then `flush` gathers everything that is to be sent in one write, in this order:
/// 1. `unsent`: what the socket did not take the last time. While there is any, nothing else is looked at.
/// 2. `control`: frames that were complete when they were asked for. Among them are header blocks, which have to leave in
///    the order in which they were encoded, as HPACK demands: hence once more before each stream's turn, and at the end.
/// 3. Streams with something to send, in turn (`ready`). What they have becomes frames only now: headers that are owed,
///    data as far as the windows allow, the end. Of a large message, pieces go out from where they lie (`Output`).
///
/// A stream that meets a closed window leaves the row: until the window opens it waits by itself when the window is its own
/// (`waitsForWindow`), and in `held` when it is the connection's.
///
/// # States of a stream (RFC 9113 §5.1)
///
/// | State | Here |
/// | --- | --- |
/// | idle | not in `streams`, and above the last id (`isIdle`). A frame other than HEADERS and PRIORITY ends the connection |
/// | open | in `streams` |
/// | half-closed (remote) | in `streams`, `inboundEnded`: END_STREAM has come. DATA and HEADERS reset the stream |
/// | half-closed (local) | in `streams`, `outboundIsSent`: our END_STREAM is on its way |
/// | closed | not in `streams`, and not above the last id. What comes is ignored after a reset of ours (`resetIDs`), else reset |
///
/// A stream is in the table from its HEADERS until both sides have ended it or either has reset it (`add`, `remove`). There
/// is no reserved state, as nobody pushes. A server does not stay half-closed (local): it tells a client that still sends
/// to stop, by RST_STREAM(NO_ERROR) (§8.1).
///
/// # Ends
///
/// `close` is at once. `fail` is for a peer that has broken the protocol: its streams end, it gets a GOAWAY and a second to
/// read it. A connection that `isDone` closes when its last byte is out. Whichever it is, every stream hears of it once
/// (`HTTP2Stream.didClose`), and `didClose` comes last.
///
/// Sendable because tasks of the loop hold it; the invariant is the above: it is touched on its loop only.
class HTTP2Connection: FileEventHandler, Flushable, @unchecked Sendable {
  final let descriptor: Int32
  final let loop: EventLoop
  final private(set) var isClosed = false
  final private(set) var streams = StreamTable()
  /// What lies between the socket and the frames; nil for plain text. Set before `start`.
  final var tls: TLSSession?
  /// Why TLS gave the connection up.
  final var tlsFailure: String?

  // Input
  final var partialFrame = ByteQueue()
  /// Bytes of the client's preface that have still to come; 0 at the client.
  final var prefaceLeft: Int
  /// The peer's first frame, which has to be SETTINGS, has come.
  final var hasSettings = false
  /// A header block whose last CONTINUATION has not come yet.
  final var assembly: HeaderAssembly?
  final var assembledBlock = ByteQueue()
  /// The GOAWAY of an error is on its way: nothing that comes matters any more.
  final private(set) var isFailing = false
  /// That GOAWAY was the last thing that we say.
  private final var isShutDown = false

  // Output
  /// Frames that are ready as they are, in their order.
  final var control = ByteQueue()
  /// Bytes of it that are requests' headers: ours, not answers to what the peer sends.
  final var requestBytes = 0
  final var unsent = ByteQueue()
  final var waitsForWritable = false
  final var isDirty = false
  /// Streams with something to send.
  final var ready = StreamQueue()
  /// Those of them that the connection's window holds back.
  final var held = StreamQueue()
  /// Bytes that the first of them has sent in its turn.
  final var turnCount = 0
  final var encoder = HeaderEncoder()

  // Flow control
  final var sendWindow = HTTP2Connection.initialWindow
  final var receiveWindow = HTTP2Connection.initialWindow
  final var consumedCount = 0
  final var peerStreamWindow = HTTP2Connection.initialWindow
  final var peerMaxFrameSize = FrameHeader.defaultMaxFrameSize
  /// Bytes that wait in streams for a reader.
  final var heldBytes = 0
  /// Bytes of messages that have arrived in part: the windows open for the rest, so that those held do not include them.
  final var unfinishedCount = 0
  /// Bytes of large responses whose streams are still open.
  final var unsentCount = 0
  /// Bytes of messages that open streams have inflated last.
  final var inflatedCount = 0
  /// What all streams together may have in their queues, each way, before a server refuses calls: a peer that leaves a
  /// thousand messages unfinished, or a thousand answers unread, must not fill the memory.
  final let bufferLimit: Int

  // Peers that behave strangely
  final let isServer: Bool
  final var oddities = Allowance(burst: HTTP2Connection.oddityBurst, perSecond: HTTP2Connection.odditiesPerSecond)
  final var resetIDs: RecentIDs

  // Time
  final var timer: ConnectionTimer?
  final let keepalive: Keepalive
  final let handshakeTimeout: Duration
  final var startedAt: UInt64
  final var lastReadAt: UInt64
  final var pingSentAt: UInt64?
  /// Something else than control frames has left since the peer's last PING.
  final var hasSentData = false
  final var lingersUntil: UInt64?

  /// Frames that are legal one by one and have no use, and calls that are reset, beyond which the connection ends
  /// (CVE-2019-9512 and its siblings, CVE-2023-44487, CVE-2025-8671).
  static let oddityBurst = 1000
  static let odditiesPerSecond = 200
  /// Resets of ours that are remembered. A client may cancel all its calls at once, and as many more before the server knows;
  /// a server's clients, whose number nobody limits, are to cost less.
  private static let clientResets = 4096
  private static let serverResets = 256
  /// A window before anybody has changed it (RFC 9113 §6.9.2).
  static let initialWindow = 65_535
  static let largestWindow = Int(Int32.max)
  /// How much a peer may send on one stream, and on the connection, before it has to wait for us.
  static let streamWindow = 1 << 20
  static let connectionWindow = 16 << 20
  /// Unread bytes of all streams together beyond which the connection's own window is not opened further. Up to here a
  /// stream that nobody reads does not hold up its neighbours.
  static let heldBytesLimit = 16 << 20
  /// Bytes after which a stream lets others have their turn.
  static let turnLimit = 1 << 20
  /// Answers to frames (acknowledgements, resets, window updates) that wait for a peer which does not read.
  static let controlLimit = 1 << 20
  /// Header bytes of ours beyond which a call fails: no peer takes more.
  static let outgoingHeaderLimit = 64 << 10

  /// Takes over a connected or connecting non-blocking socket.
  /// - Parameter handshakeTimeout: for the peer's preface and SETTINGS.
  init(
    descriptor: Int32, loop: EventLoop, isServer: Bool, keepalive: Keepalive, handshakeTimeout: Duration,
    bufferLimit: Int = .max
  ) {
    self.handshakeTimeout = handshakeTimeout
    self.descriptor = descriptor
    self.loop = loop
    self.keepalive = keepalive
    self.bufferLimit = bufferLimit
    self.isServer = isServer
    resetIDs = RecentIDs(limit: isServer ? HTTP2Connection.serverResets : HTTP2Connection.clientResets)
    prefaceLeft = isServer ? HTTP2Connection.preface.utf8CodeUnitCount : 0
    startedAt = EventLoop.monotonicNanoseconds()
    lastReadAt = startedAt
  }

  static let preface: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  /// Says what we expect and begins to listen. Called by every subclass's initializer, last.
  final func start(settings: [(id: UInt16, value: UInt32)], events: FileEvents = .readable) {
    if prefaceLeft == 0 {
      control.append(HTTP2Connection.preface.utf8Start, count: HTTP2Connection.preface.utf8CodeUnitCount)
    }
    sendSettings(settings + [(SettingID.initialWindowSize, UInt32(HTTP2Connection.streamWindow))])
    let more = HTTP2Connection.connectionWindow - receiveWindow
    sendWindowUpdate(streamID: 0, more)
    receiveWindow += more
    loop.register(descriptor, self, for: events)
    startTimer()
  }

  // MARK: For subclasses

  /// A header block is complete.
  func receiveBlock(
    streamID: Int32, endsStream: Bool, _ block: UnsafeBufferPointer<UInt8>
  ) throws(HTTP2ConnectionError) {}
  /// Whether nobody has opened the stream yet.
  func isIdle(_ streamID: Int32) -> Bool { true }
  /// The last id that the peer has opened, for GOAWAY.
  var lastStreamID: Int32 { 0 }
  /// The peer takes no streams above `lastStreamID` (RFC 9113 §6.8).
  func receivedGoAway(lastStreamID: Int32, _ code: HTTP2ErrorCode) {}
  /// The peer asks whether we live.
  func receivedPing() throws(HTTP2ConnectionError) {}
  /// The peer's first SETTINGS are there (RFC 9113 §3.4).
  func receivedFirstSettings() {}
  /// The peer has answered our PING.
  func receivedPingAcknowledgement() {}
  /// The peer's SETTINGS_MAX_CONCURRENT_STREAMS.
  func receivedStreamLimit(_ limit: UInt32) {}
  /// The stream's last byte is out and `outboundEnded` is true: says what follows.
  func endStream(_ stream: HTTP2Stream, _ output: inout Output) {}
  /// Appends the headers that the stream owes before its first data.
  func appendOwedHeaders(_ stream: HTTP2Stream, to output: inout Output) {}
  /// The peer has broken the protocol: no stream is left, and none may begin.
  func didFail(_ reason: RPCError) {}
  /// The socket is gone and no stream is left.
  func didClose(_ reason: RPCError) {}
  /// A stream is over.
  func streamDidClose() {}
  /// The socket is writable, which is how a connect attempt reports its end.
  func becameWritable() -> Bool { true }
  /// The TLS handshake is done.
  func didSecure() {}
  /// Whether PINGs make sense now.
  var mayPing: Bool { true }
  /// When something of the subclass's own is due, and what to do then. Monotonic nanoseconds.
  var nextDue: UInt64 { .max }
  func isDue(now: UInt64) {}
  /// Whether the connection ends once nothing is left to send.
  var isDone: Bool { false }

  // MARK: Ends

  /// The peer has broken the protocol: says so in a GOAWAY and ends the connection (RFC 9113 §5.4.1).
  final func fail(_ error: HTTP2ConnectionError) {
    guard !isFailing, !isClosed else { return }
    isFailing = true
    let reason = RPCError(.unavailable, "the peer broke HTTP/2: \(error.reason)")
    endStreams(reason)
    didFail(reason)
    sendGoAway(lastStreamID: lastStreamID, error.code, error.reason)
    // From now on, as a peer that does not read would keep the GOAWAY, and with it the connection, from ever leaving.
    lingersUntil = EventLoop.monotonicNanoseconds() &+ 1_000_000_000
    startTimer()
  }

  /// After a GOAWAY for an error. Closing a socket with unread bytes in it would reset the connection, and the peer might
  /// never see the reason: it gets a second to read it and close.
  final func linger() {
    guard !isShutDown else { return }
    isShutDown = true
    tls?.shutdown()
    shutdown(descriptor, Int32(SHUT_WR))
  }

  /// Ends the connection at once. Every stream that is still open ends with `reason`.
  final func close(_ reason: RPCError) {
    guard !isClosed else { return }
    isClosed = true
    loop.deregister(descriptor)
    tls?.shutdown()
    Glibc.close(descriptor)
    stopTimer()
    endStreams(reason)
    didClose(reason)
  }

  private final func endStreams(_ reason: RPCError) {
    for stream in streams.all { remove(stream, .connectionLost(reason)) }
  }

  final func closeBroken(_ call: String) {
    close(RPCError(.unavailable, tlsFailure ?? "the connection broke: \(SystemError(call).reason)"))
  }

  // MARK: Streams

  /// Takes a stream in; the table keeps it alive.
  @inline(__always) final func add(_ stream: HTTP2Stream) {
    stream.sendWindow = peerStreamWindow
    streams.insert(stream)
  }

  /// The counterpart of `add`; says nothing to the peer.
  final func remove(_ stream: HTTP2Stream, _ end: HTTP2Stream.End) {
    guard stream.connection != nil else { return }
    leaveQueue(stream)
    abandonHeldBytes(of: stream)
    unfinishedCount -= stream.unfinishedCount
    unsentCount -= stream.unsentCount
    inflatedCount -= stream.inflatedCount
    stream.connection = nil
    withExtendedLifetime(stream) {
      if stream.id > 0 { streams.remove(stream.id) }
      stream.didClose(end)
      // Whatever the subclass made of it: nobody may wait for a stream that is gone.
      stream.wakeReader()
      stream.wakeWriter()
    }
    streamDidClose()
  }

  /// RST_STREAM: the stream is over for both sides. What it has not sent yet is dropped.
  final func reset(_ stream: HTTP2Stream, _ code: HTTP2ErrorCode) {
    guard stream.connection != nil else { return }
    if stream.id > 0 { sendReset(streamID: stream.id, code) }
    remove(stream, .closed(http2Error: code.rawValue))
  }
}
