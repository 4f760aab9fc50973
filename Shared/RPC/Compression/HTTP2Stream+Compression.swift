// Messages that are smaller on the wire than they are. Source: gRPC's `doc/compression.md`.
//
// Nothing here is on the way of a message that is not compressed: its reader looks at the flag in its prefix, its writer
// compares its size with a threshold that is out of reach.
extension HTTP2Stream {
  /// The inflated message behind a prefix whose flag is set. Valid until the loop inflates the next one. What can't be
  /// inflated ends the call.
  final func inflate(_ flag: UInt8, _ bytes: UnsafeRawBufferPointer) throws(RPCError) -> UnsafeRawBufferPointer {
    do throws(RPCError) {
      return try inflated(flag, bytes)
    } catch {
      violated(error)
      throw error
    }
  }

  private final func inflated(_ flag: UInt8, _ bytes: UnsafeRawBufferPointer) throws(RPCError) -> UnsafeRawBufferPointer
  {
    guard flag == 1 else {
      throw RPCError(.internalError, "a message's compression flag is \(flag); 0 and 1 are the ones there are")
    }
    guard inboundEncoding == .gzip else {
      throw RPCError(.internalError, "a message is marked as compressed, but the call has no grpc-encoding")
    }
    if passesCompressed { return bytes }
    let message = try Gzip.of(loop).inflate(bytes, limit: messageLimit)
    compressedCount += 1
    try count(inflated: message.count)
    return message
  }

  /// A peer that sends little can make us hold much: what its open calls have inflated last counts against the bytes that
  /// its connection may make us hold.
  private final func count(inflated count: Int) throws(RPCError) {
    guard let connection else { return }
    connection.inflatedCount += count - inflatedCount
    inflatedCount = count
    guard connection.inflatedCount <= connection.bufferLimit else {
      throw RPCError(
        .resourceExhausted,
        "\(connection.bufferLimit) bytes of inflated messages on one connection: send fewer large ones at once")
    }
  }

  /// Puts a message behind the queue's last one, compressed if that makes it smaller.
  final func enqueueCompressed(count: Int, _ write: (UnsafeMutableRawPointer) -> Void) {
    let gzip = Gzip.of(loop)
    let plain = gzip.plainMessage(count: count)
    write(plain)
    let pointer = outbound.reserve(MessagePrefix.byteCount + count)
    if let compressed = gzip.deflatePlainMessage(count: count, to: pointer + MessagePrefix.byteCount) {
      MessagePrefix.write(messageCount: compressed, isCompressed: true, to: pointer)
      advanceOutbound(messageCount: compressed)
    } else {
      MessagePrefix.write(messageCount: count, to: pointer)
      (pointer + MessagePrefix.byteCount).copyMemory(from: plain, byteCount: count)
      advanceOutbound(messageCount: count)
    }
    gzip.trim()
  }

  /// Runs `body` with messages compressed or not as `choice` says, if the call's headers allow that; nil leaves it to the
  /// threshold.
  final func compressing(_ choice: Bool?, _ body: () -> Void) {
    guard let choice else { return body() }
    let threshold = compressionThreshold
    compressionThreshold = choice && outboundEncoding == .gzip ? 0 : .max
    body()
    compressionThreshold = threshold
  }
}

/// A message as it is on the wire, for one who passes it on.
struct WireMessage: Sendable {
  let bytes: [UInt8]
  let isCompressed: Bool
}

extension HTTP2Stream {
  /// The message that `bytes` is, inside `nextMessage` or after `firstMessage` of a stream that `passesCompressed`.
  final func wireMessage(_ bytes: UnsafeRawBufferPointer) -> WireMessage {
    WireMessage(bytes: [UInt8](bytes), isCompressed: inbound.bytes.first != 0)
  }

  /// The first message, which is complete.
  final func wireMessage() -> WireMessage {
    let end = firstMessageCount ?? inbound.count
    return wireMessage(UnsafeRawBufferPointer(rebasing: inbound.bytes[min(MessagePrefix.byteCount, end)..<end]))
  }

  final func enqueue(_ message: WireMessage) {
    let count = message.bytes.count
    let pointer = outbound.reserve(MessagePrefix.byteCount + count)
    MessagePrefix.write(messageCount: count, isCompressed: message.isCompressed, to: pointer)
    message.bytes.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { (pointer + MessagePrefix.byteCount).copyMemory(from: base, byteCount: count) }
    }
    advanceOutbound(messageCount: count)
  }

  /// Queues the first message of another stream, which is complete, as it is on the wire.
  final func enqueueFirstMessage(of other: HTTP2Stream) {
    guard let count = other.firstMessageCount, let bytes = other.inbound.bytes.baseAddress else { return }
    outbound.reserve(count).copyMemory(from: bytes, byteCount: count)
    advanceOutbound(messageCount: count - MessagePrefix.byteCount)
  }
}
