import EventLoop
import Glibc

// From the socket to whole frames.
extension HTTP2Connection {
  final func handle(_ events: FileEvents) {
    if events.contains(.writable) {
      guard becameWritable() else { return }
      setNeedsFlush()
    }
    guard !isClosed else { return }
    if let tls {
      guard tls.isEstablished || continueHandshake(tls) else { return }
    } else if events.isDisjoint(with: [.readable, .hangUp, .error]) {
      return
    }
    let buffer = loop.readBuffer
    let carried = partialFrame.count
    if carried > 0, let bytes = partialFrame.bytes.baseAddress, let start = buffer.baseAddress {
      memcpy(start, bytes, carried)
    }
    let count = readSocket(UnsafeMutableRawBufferPointer(rebasing: buffer[carried...]))
    if count > 0 {
      guard !isFailing else { return }
      lastReadAt = loop.now
      partialFrame.removeAll()
      receive(UnsafeRawBufferPointer(rebasing: buffer[..<(carried + count)]).assumingMemoryBound(to: UInt8.self))
      if let tls, tls.hasEnded { readEnd(tls) }
    } else if count == 0 {
      close(RPCError(.unavailable, "the peer closed the connection"))
    } else if errno != EAGAIN && errno != EINTR {
      closeBroken("read")
    }
  }

  /// - Returns: as `read(2)` does, with `errno`.
  @inline(__always) private final func readSocket(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    if let tls { return read(tls, buffer) }
    return Glibc.read(descriptor, buffer.baseAddress, buffer.count)
  }

  private final func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
    // Not empty: `handle` has read something.
    let base = bytes.baseAddress.unsafelyUnwrapped
    var offset = 0
    do throws(HTTP2ConnectionError) {
      if prefaceLeft > 0 { offset = try receivePreface(base, bytes.count) }
      while bytes.count - offset >= FrameHeader.byteCount {
        let frame = FrameHeader(base + offset)
        guard frame.length <= FrameHeader.defaultMaxFrameSize else {
          throw HTTP2ConnectionError(.frameSizeError, "a frame of \(frame.length) bytes; at most 16384 are accepted")
        }
        guard bytes.count - offset >= FrameHeader.byteCount + frame.length else { break }
        try receive(frame, base + offset + FrameHeader.byteCount)
        offset += FrameHeader.byteCount + frame.length
        guard !isClosed else { return }
      }
      if offset < bytes.count { partialFrame.append(base + offset, count: bytes.count - offset) }
      guard control.count - requestBytes <= HTTP2Connection.controlLimit else {
        throw HTTP2ConnectionError(.enhanceYourCalm, "the peer does not read the answers that it asks for")
      }
    } catch {
      fail(error)
    }
  }

  /// - Returns: how many bytes of it there were.
  private final func receivePreface(
    _ bytes: UnsafePointer<UInt8>, _ count: Int
  ) throws(HTTP2ConnectionError) -> Int {
    let taken = min(count, prefaceLeft)
    let done = HTTP2Connection.preface.utf8CodeUnitCount - prefaceLeft
    guard memcmp(bytes, HTTP2Connection.preface.utf8Start + done, taken) == 0 else {
      throw HTTP2ConnectionError(.protocolError, "the peer does not speak HTTP/2")
    }
    prefaceLeft -= taken
    return taken
  }
}
