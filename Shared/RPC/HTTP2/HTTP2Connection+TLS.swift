import EventLoop
import Glibc

// What TLS puts between the socket and the frames. Its outcomes become those of `read(2)` and `send(2)`.
extension HTTP2Connection {
  /// Goes on with the handshake. The time for it is the one that the peer has until its SETTINGS.
  /// - Returns: whether it is done. Bytes of the peer's may have come with its last part, so they are to be read at once.
  final func continueHandshake(_ tls: TLSSession) -> Bool {
    switch tls.handshake() {
    case .done:
      didSecure()
      setNeedsFlush()
      return !isClosed
    case .wantsRead: stopWaitingForWritable()
    case .wantsWrite: waitForWritable()
    case .failed(let reason): close(RPCError(.unavailable, reason))
    }
    return false
  }

  /// Frames wait for the handshake. Nobody waits for a handshake that nothing would follow.
  final var canSend: Bool {
    guard let tls, !tls.isEstablished else { return true }
    if isDone { close(RPCError(.unavailable, "the connection ended")) }
    return false
  }

  /// - Returns: as `read(2)` does, with `errno`; EPROTO means `tlsFailure`.
  final func read(_ tls: TLSSession, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    switch tls.read(into: buffer) {
    case .bytes(let count): return count
    case .wantsRead: errno = EAGAIN
    case .wantsWrite:
      waitForWritable()
      errno = EAGAIN
    case .closed: return 0
    case .failed(let reason):
      tlsFailure = reason
      errno = EPROTO
    }
    return -1
  }

  /// - Returns: as `send(2)` does, with `errno`; EPROTO means `tlsFailure`.
  final func write(_ tls: TLSSession, _ bytes: UnsafeRawBufferPointer) -> Int {
    switch tls.write(bytes) {
    case .bytes(let count): return count
    case .wantsRead, .wantsWrite: errno = EAGAIN
    case .closed: errno = EPIPE
    case .failed(let reason):
      tlsFailure = reason
      errno = EPROTO
    }
    return -1
  }

  /// The connection has ended behind what was read last. Nothing of the socket tells so a second time.
  final func readEnd(_ tls: TLSSession) {
    guard !isClosed else { return }
    switch tls.read(into: loop.readBuffer) {
    case .failed(let reason): close(RPCError(.unavailable, reason))
    default: close(RPCError(.unavailable, "the peer closed the connection"))
    }
  }

  final func waitForWritable() {
    guard !waitsForWritable else { return }
    waitsForWritable = true
    loop.modify(descriptor, for: [.readable, .writable])
  }

  final func stopWaitingForWritable() {
    guard waitsForWritable else { return }
    waitsForWritable = false
    loop.modify(descriptor, for: .readable)
  }
}
