import Messages

/// The messages that a client streams, one at a time: the client can't be further ahead than a message and a window, so
/// a handler that stops reading stops the client.
///
/// Throws CANCELLED when the client goes away and DEADLINE_EXCEEDED when the deadline passes. One reader at a time.
public struct RequestStream<Request: Message>: AsyncSequence, Sendable {
  /// A message.
  public typealias Element = Request
  let stream: ServerStream

  /// Takes the messages one after the other; several iterators of one stream share what comes.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let stream: ServerStream

    /// The next message; nil once the client has sent its last one.
    /// - Throws: `RPCError` when the call is over before that: cancelled, too late, or cut off.
    public mutating func next() async throws -> Request? {
      try await stream.nextMessage { try Request(request: $0) }
    }
  }

  /// For `for try await`.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: stream) }
}

/// Where a handler that streams puts its messages.
public struct ResponseWriter<Response: Message>: Sendable {
  let stream: ServerStream

  /// Sends one message; suspends while the client does not keep up.
  /// - Parameter compressed: nil leaves it to `ServerOptions.compression` and `ServerContext.compressResponses`; true needs
  ///   one of them.
  /// - Throws: CANCELLED or DEADLINE_EXCEEDED when nobody wants it any more.
  public func send(_ response: Response, compressed: Bool? = nil) async throws {
    try await stream.send(response, compressed: compressed)
  }
}
