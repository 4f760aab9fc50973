/// Streams in a row, linked through themselves: those that have something to send, or those that the connection's window
/// holds back. A stream is in one row at most.
///
/// Unretained: the connection takes a stream out before it lets go of it.
struct StreamQueue: ~Copyable {
  private unowned(unsafe) var head: HTTP2Stream?
  private unowned(unsafe) var tail: HTTP2Stream?

  @inline(__always) var isEmpty: Bool { head == nil }
  @inline(__always) var first: HTTP2Stream? { head }

  @inline(__always) mutating func append(_ stream: HTTP2Stream) {
    stream.previousInQueue = tail
    stream.nextInQueue = nil
    if let tail { tail.nextInQueue = stream } else { head = stream }
    tail = stream
  }

  @inline(__always) mutating func remove(_ stream: HTTP2Stream) {
    if let previous = stream.previousInQueue {
      previous.nextInQueue = stream.nextInQueue
    } else {
      head = stream.nextInQueue
    }
    if let next = stream.nextInQueue {
      next.previousInQueue = stream.previousInQueue
    } else {
      tail = stream.previousInQueue
    }
    stream.nextInQueue = nil
    stream.previousInQueue = nil
  }
}
