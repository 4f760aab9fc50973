import EventLoop
import Glibc

// From what streams and the connection have to say to the socket.
extension HTTP2Connection {
  @inline(__always) final func setNeedsFlush() {
    guard !isDirty, !isClosed else { return }
    isDirty = true
    loop.scheduleFlush(self)
  }

  final func flush() {
    isDirty = false
    guard !isClosed, canSend, writeUnsent() else { return }
    var output = Output(loop.writeBuffer, pieces: loop.writePieces)
    repeat {
      while let stream = ready.first {
        // Header blocks leave in the order in which they were encoded.
        if !control.isEmpty { guard writeControl(&output) else { return } }
        // The last piece of a message takes its memory along: what refers to that has to be gone before.
        let isFull = output.room < min(stream.outbound.count, peerMaxFrameSize) + HTTP2Connection.framingRoom
        if isFull || output.hasReferences && (output.isFull || stream.outbound.count <= peerMaxFrameSize) {
          guard write(&output) else { return }
        }
        send(stream, &output)
      }
      if !control.isEmpty { guard writeControl(&output) else { return } }
    } while !ready.isEmpty
    guard write(&output) else { return }
    if waitsForWritable, tls?.readWantsWrite != true { stopWaitingForWritable() }
    if isFailing {
      linger()
    } else if isDone {
      close(RPCError(.unavailable, "the connection ended"))
    }
  }

  /// Room for the frame headers and constant header blocks around a piece of data.
  private static let framingRoom = 256

  /// Puts the control frames behind what is gathered.
  private final func writeControl(_ output: inout Output) -> Bool {
    defer {
      control.removeAll()
      requestBytes = 0
    }
    if control.count <= output.room {
      output.append(control.bytes)
      return true
    }
    guard write(&output) else {
      unsent.append(control.bytes)
      return false
    }
    return write(control.bytes)
  }

  private final func write(_ output: inout Output) -> Bool {
    defer { output.removeAll() }
    return output.hasReferences ? write(output.vectors()) : write(output.bytes)
  }

  /// The same for pieces. Not with TLS, which has to copy what it encrypts anyway.
  private final func write(_ pieces: UnsafeMutableBufferPointer<iovec>) -> Bool {
    var rest = pieces
    while !rest.isEmpty {
      var message = msghdr()
      message.msg_iov = rest.baseAddress
      message.msg_iovlen = rest.count
      var count = sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
      if count < 0 {
        if errno == EINTR { continue }
        guard errno == EAGAIN else {
          closeBroken("sendmsg")
          return false
        }
        for piece in rest { unsent.append(UnsafeRawBufferPointer(start: piece.iov_base, count: piece.iov_len)) }
        waitForWritable()
        return false
      }
      while let piece = rest.first, count >= piece.iov_len {
        count -= piece.iov_len
        rest = UnsafeMutableBufferPointer(rebasing: rest.dropFirst())
      }
      if count > 0 {
        rest[0] = iovec(iov_base: rest[0].iov_base + count, iov_len: rest[0].iov_len - count)
      }
    }
    return true
  }

  private final func writeUnsent() -> Bool {
    while !unsent.isEmpty {
      let count = writeSocket(unsent.bytes.baseAddress.unsafelyUnwrapped, unsent.count)
      if count > 0 {
        unsent.removeFirst(count)
      } else if errno == EAGAIN {
        return false
      } else if errno != EINTR {
        closeBroken("send")
        return false
      }
    }
    return true
  }

  /// False when the socket is full or gone; what it did not take is kept and goes first when it is writable again.
  private final func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, !isClosed else { return !isClosed }
    var offset = 0
    while offset < bytes.count {
      let count = writeSocket(base + offset, bytes.count - offset)
      if count > 0 {
        offset += count
      } else if errno == EAGAIN {
        unsent.append(base + offset, count: bytes.count - offset)
        waitForWritable()
        return false
      } else if errno != EINTR {
        closeBroken("send")
        return false
      }
    }
    return true
  }

  /// - Returns: as `send(2)` does, with `errno`.
  @inline(__always) private final func writeSocket(_ bytes: UnsafeRawPointer, _ count: Int) -> Int {
    if let tls { return write(tls, UnsafeRawBufferPointer(start: bytes, count: count)) }
    return Glibc.send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
  }
}
