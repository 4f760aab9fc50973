import EventLoop
import Glibc

/// One stream: bytes in, bytes out, each way with its queue, its end and its flow control. What server and client
/// share.
///
/// As a timer it is its own deadline, so that a call with one costs no allocation more.
///
/// Bounded: the inbound queue holds at most one message of the permitted size and a stream window of bytes behind it,
/// because the window opens only as messages are taken. The outbound queue suspends its writer above `highWater`.
///
/// Sendable because tasks hold it; the invariant is the connection's: whatever touches a stream runs on its loop.
class HTTP2Stream: LoopTimer, @unchecked Sendable {
  final let loop: EventLoop
  final let messageLimit: Int
  /// Where both queues begin; most messages fit.
  private final let block: UnsafeMutableRawPointer
  /// Nil once the stream is closed. Unretained, because every retain costs on the hot path: the connection takes itself
  /// out of here (`HTTP2Connection.remove`) before it can go away, as the loop holds it while it has streams.
  final unowned(unsafe) var connection: HTTP2Connection?
  final var id: Int32 = 0

  // The connection's rows of streams that have something to send.
  final unowned(unsafe) var nextInQueue: HTTP2Stream?
  final unowned(unsafe) var previousInQueue: HTTP2Stream?
  final var place = Place.none
  enum Place { case none, ready, held }

  // Windows (RFC 9113 §6.9): `connection` keeps them.
  final var sendWindow = 0
  final var receiveWindow = HTTP2Connection.streamWindow
  /// Bytes that the peer has not been given back yet.
  final var consumedCount = 0
  /// The peer's window for this stream is closed.
  final var waitsForWindow = false

  // Inbound
  final var inbound: ByteQueue
  final private(set) var inboundEnded = false
  /// Headers have come, so that data may (RFC 9113 §8.1).
  final var mayReceiveData = false
  /// What `content-length` says is still to come; nil without one.
  final var announcedLeft: Int?
  /// Why there is nothing more to read, other than the peer's regular end.
  final var failure: RPCError?
  private final var reader: UnsafeContinuation<Void, Never>?
  /// Bytes received for which the stream's window has not been opened again.
  final var heldCount = 0
  /// Those of them for which the connection's window has not been either.
  final var connectionCredit = 0

  /// What a set compression flag means, as the peer's headers say.
  final var inboundEncoding = MessageEncoding.identity
  /// Compressed messages are not inflated, as they are passed on.
  final var passesCompressed = false
  /// Compressed messages inflated so far.
  final var compressedCount = 0
  /// What the stream adds to its connection's `inflatedCount`.
  final var inflatedCount = 0

  /// What the stream adds to its connection's `unfinishedCount`.
  final var unfinishedCount = 0
  /// What it adds to its connection's `unsentCount`.
  final var unsentCount = 0

  /// What has passed both ways.
  final private(set) var messageCounts = MessageCounts()

  // Outbound
  final var outbound: ByteQueue
  /// Nothing follows what is in `outbound`.
  final var outboundEnded = false
  /// The end of what we send, END_STREAM, is on its way.
  final var outboundIsSent = false
  /// Headers have to go out before the first data.
  final var owesHeaders = false
  /// Whether END_STREAM travels with the last data; a server has trailers behind it.
  final let endsWithData: Bool
  private final var writer: UnsafeContinuation<Void, Never>?
  /// What our headers say of our messages.
  final var outboundEncoding = MessageEncoding.identity
  /// Bytes of a message from which on it is compressed.
  final var compressionThreshold = Int.max

  /// Bytes waiting to be sent above which `send` suspends.
  private static let highWater = 128 << 10

  init(loop: EventLoop, messageLimit: Int, endsWithData: Bool) {
    self.loop = loop
    self.endsWithData = endsWithData
    self.messageLimit = messageLimit
    block = loop.blocks.take()
    let half = BlockPool.blockSize / 2
    inbound = ByteQueue(borrowing: block, capacity: half)
    outbound = ByteQueue(borrowing: block + half, capacity: half)
  }

  deinit {
    // A task may let go of the stream last, on whatever thread it ends.
    if loop.isCurrent { loop.blocks.put(block) } else { block.deallocate() }
  }

  // MARK: For subclasses

  /// The first message in the queue is complete.
  func messageArrived() { wakeReader() }
  /// The peer has said everything.
  func inboundDidEnd() { wakeReader() }
  /// The peer sent something that ends the call; `error` says what.
  func violated(_ error: RPCError) {}
  /// The stream is gone, whoever ended it.
  func didClose(_ end: End) {}

  enum End {
    /// Regularly (0), or by RST_STREAM from either side.
    case closed(http2Error: UInt32)
    case connectionLost(RPCError)

    var error: RPCError {
      switch self {
      case .closed(let code):
        RPCError(StatusCode(http2Error: code), "the stream was reset (HTTP/2 \(HTTP2ErrorCode(rawValue: code)))")
      case .connectionLost(let reason): reason
      }
    }
  }

  // MARK: Inbound

  final func receive(_ data: UnsafePointer<UInt8>, count: Int) {
    guard let connection else { return }
    connection.hold(self, count)
    if failure != nil { return connection.release(self, heldCount) }
    if inbound.isEmpty, let prefix = MessagePrefix(UnsafeRawBufferPointer(start: data, count: count)) {
      reserveInbound(prefix)
    }
    inbound.append(data, count: count)
    guard let prefix = MessagePrefix(inbound.bytes) else { return connection.release(self, heldCount) }
    let total = MessagePrefix.byteCount + prefix.messageCount
    if inbound.count >= total && prefix.messageCount <= messageLimit { return messageArrived() }
    if prefix.messageCount > messageLimit {
      dropInbound()
      connection.release(self, heldCount)
      return violated(
        RPCError(
          .resourceExhausted,
          "a message of \(prefix.messageCount) bytes; at most \(messageLimit) are accepted: send it in parts"))
    }
    connection.unfinishedCount += inbound.count - unfinishedCount
    unfinishedCount = inbound.count
    if connection.unfinishedCount > connection.bufferLimit {
      dropInbound()
      connection.release(self, heldCount)
      return violated(
        RPCError(
          .resourceExhausted,
          "\(connection.bufferLimit) bytes of unfinished messages on one connection: send fewer large ones at once"))
    }
    connection.release(self, heldCount)
  }

  /// One allocation for what the prefix announces, within reason: the peer has not sent it yet.
  @inline(__always) private final func reserveInbound(_ prefix: MessagePrefix) {
    _ = inbound.reserve(min(MessagePrefix.byteCount + prefix.messageCount, 1 << 20 + FrameHeader.defaultMaxFrameSize))
  }

  final func receiveEnd() {
    inboundEnded = true
    inboundDidEnd()
  }

  /// END_STREAM came with the headers: what they lead to shall know.
  final func endInbound() { inboundEnded = true }

  /// Whether `count` bytes more are in order: after headers, and no more than they announce.
  @inline(__always) final func acceptsData(count: Int) -> Bool {
    guard mayReceiveData else { return false }
    guard let left = announcedLeft else { return true }
    announcedLeft = left - count
    return count <= left
  }

  /// Whether as much has come as `content-length` said (RFC 9113 §8.1.1).
  final var bodyIsComplete: Bool { announcedLeft ?? 0 == 0 }

  /// The first message if it is complete, else nil. Valid until the next change of the queue.
  final func firstMessage() throws(RPCError) -> UnsafeRawBufferPointer? {
    assert(loop.isCurrent)
    let bytes = inbound.bytes
    guard let prefix = MessagePrefix(bytes), bytes.count >= MessagePrefix.byteCount + prefix.messageCount else {
      return nil
    }
    let message = UnsafeRawBufferPointer(
      rebasing: bytes[MessagePrefix.byteCount..<(MessagePrefix.byteCount + prefix.messageCount)])
    return prefix.isCompressed ? try inflate(bytes[0], message) : message
  }

  /// Bytes of the first message with its prefix, as they are on the wire; nil unless it is complete.
  final var firstMessageCount: Int? {
    guard let prefix = MessagePrefix(inbound.bytes) else { return nil }
    let count = MessagePrefix.byteCount + prefix.messageCount
    return inbound.count >= count ? count : nil
  }

  /// Takes the first message out and lets the peer send on.
  final func removeFirstMessage() {
    guard let prefix = MessagePrefix(inbound.bytes) else { return }
    inbound.removeFirst(MessagePrefix.byteCount + prefix.messageCount)
    countReceived(prefix.messageCount)
    guard let connection else { return }
    forgetUnfinished()
    // The message that is only partly there has to be let in whole, as nobody can take a part.
    let rest = MessagePrefix(inbound.bytes)
    let isNextComplete = rest.map { inbound.count >= MessagePrefix.byteCount + $0.messageCount } ?? false
    connection.release(self, isNextComplete ? heldCount - min(heldCount, inbound.count) : heldCount)
  }

  /// Counts the one message of a request as taken, which stays where it is until `dropInbound`.
  final func acceptFirstMessage() {
    guard let count = firstMessageCount else { return }
    countReceived(count - MessagePrefix.byteCount)
    forgetUnfinished()
    connection?.release(self, heldCount)
  }

  /// Suspends until a message is complete, and returns what `body` makes of its bytes; nil after the peer's last one.
  /// - Throws: the failure that ended the stream, what `body` throws, or CANCELLED when the caller's task is cancelled while
  ///   it waits, which by itself does not end the call.
  final func nextMessage<Result: Sendable>(
    _ body: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Result
  ) async throws -> Result? {
    guard loop.keepsCurrentTask else {
      return try await loop.perform { try await self.nextMessage(body) }
    }
    while true {
      if let bytes = try firstMessage() {
        let result = try body(bytes)
        removeFirstMessage()
        try checkNextPrefix()
        return result
      }
      if let failure { throw failure }
      if inboundEnded {
        guard inbound.isEmpty else {
          throw RPCError(.internalError, "the stream ended inside a message, after \(inbound.count) of its bytes")
        }
        return nil
      }
      guard reader == nil else { throw RPCError(.internalError, "two tasks read the same stream") }
      guard !Task.isCancelled else { throw RPCError(.cancelled, "the task that reads was cancelled") }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { reader = $0 }
      } onCancel: {
        loop.execute { self.wakeReader() }
      }
    }
  }

  /// Resumes `continuation` when the peer has said everything or the stream has failed, which may be now.
  @inline(__always) final func resumeAtEnd(_ continuation: UnsafeContinuation<Void, Never>) {
    guard !inboundEnded, failure == nil, reader == nil else { return continuation.resume() }
    reader = continuation
  }

  /// Suspends until the peer has said everything. On the loop.
  final func end() async throws {
    while !inboundEnded, failure == nil {
      guard reader == nil else { throw RPCError(.internalError, "two tasks read the same stream") }
      await withUnsafeContinuation { reader = $0 }
    }
    if let failure { throw failure }
  }

  /// A message of so many bytes has been taken, or looked at where it is.
  @inline(__always) final func countReceived(_ bytes: Int) {
    messageCounts.received &+= 1
    messageCounts.receivedBytes &+= bytes
  }

  /// A prefix that arrived behind the message just taken has not been looked at yet.
  private final func checkNextPrefix() throws(RPCError) {
    guard let prefix = MessagePrefix(inbound.bytes), prefix.messageCount > messageLimit else { return }
    let error = RPCError(
      .resourceExhausted,
      "a message of \(prefix.messageCount) bytes; at most \(messageLimit) are accepted: send it in parts")
    violated(error)
    throw error
  }

  @inline(__always) final func wakeReader() {
    guard let reader else { return }
    self.reader = nil
    reader.resume()
  }

  /// Forgets what has been received and not been read.
  final func dropInbound() {
    inbound.removeAll()
    forgetUnfinished()
  }

  private final func forgetUnfinished() {
    guard unfinishedCount > 0 else { return }
    connection?.unfinishedCount -= unfinishedCount
    unfinishedCount = 0
  }

  /// Nothing more can be read or written; whoever waits gets `error`.
  final func fail(_ error: RPCError) {
    if failure == nil { failure = error }
    wakeReader()
    wakeWriter()
  }

  // MARK: Outbound

  /// Puts a message behind the queue's last one; `write` fills `count` bytes.
  @inline(__always) final func enqueueMessage(count: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
    assert(loop.isCurrent)
    if count >= compressionThreshold { return enqueueCompressed(count: count, write) }
    let pointer = outbound.reserve(MessagePrefix.byteCount + count)
    MessagePrefix.write(messageCount: count, to: pointer)
    write(pointer + MessagePrefix.byteCount)
    advanceOutbound(messageCount: count)
  }

  /// The message behind the queue's end, which has so many bytes on the wire, belongs to it from now on.
  @inline(__always) final func advanceOutbound(messageCount count: Int) {
    outbound.advance(MessagePrefix.byteCount + count)
    messageCounts.sent &+= 1
    messageCounts.sentBytes &+= count
  }

  final func enqueue(bytes: UnsafeRawBufferPointer) {
    enqueueMessage(count: bytes.count) { pointer in
      if let base = bytes.baseAddress { pointer.copyMemory(from: base, byteCount: bytes.count) }
    }
  }

  final func enqueue(bytes: [UInt8]) {
    bytes.withUnsafeBytes { enqueue(bytes: $0) }
  }

  /// There is something to send: data, or the end.
  @inline(__always) final func outboundChanged() {
    assert(loop.isCurrent)
    connection?.makeReady(self)
  }

  /// A part of what waited is on its way.
  @inline(__always) final func didSend() {
    if outbound.count <= HTTP2Stream.highWater { wakeWriter() }
  }

  /// Suspends while too much waits to be sent.
  /// - Throws: CANCELLED when the caller's task is cancelled while it waits, which by itself does not end the call.
  final func awaitRoom() async throws {
    while outbound.count > HTTP2Stream.highWater, connection != nil, failure == nil {
      guard writer == nil else { throw RPCError(.internalError, "two tasks write the same stream") }
      guard !Task.isCancelled else { throw RPCError(.cancelled, "the task that sends was cancelled") }
      await withTaskCancellationHandler {
        await withUnsafeContinuation { writer = $0 }
      } onCancel: {
        loop.execute { self.wakeWriter() }
      }
    }
  }

  @inline(__always) final func wakeWriter() {
    guard let writer else { return }
    self.writer = nil
    writer.resume()
  }

  /// RST_STREAM with the given HTTP/2 error.
  final func reset(_ code: HTTP2ErrorCode) { connection?.reset(self, code) }
}
