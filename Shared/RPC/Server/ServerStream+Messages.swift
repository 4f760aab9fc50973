import EventLoop
import Messages

/// Messages instead of bytes.
extension ServerStream {
  /// The one message of a unary request, valid until the request's bytes are dropped.
  @inline(__always) func takenMessage() throws(RPCError) -> UnsafeRawBufferPointer {
    guard let bytes = try firstMessage() else { throw RPCError(.internalError, "\(path) takes one message") }
    return bytes
  }

  /// The one message of a unary request.
  func takeRequest<Request: Message>(_: Request.Type) throws -> Request {
    let request = try Request(request: takenMessage())
    removeFirstMessage()
    return request
  }

  func takeRequestBytes() throws -> [UInt8] {
    let request = [UInt8](try takenMessage())
    removeFirstMessage()
    return request
  }

  func enqueue(_ response: some Message) {
    response.withPacked { packed in
      enqueueMessage(count: packed.count) { packed.write(to: $0) }
    }
  }

  /// Queues the one response; the status follows when the handler has returned, in the same write. The handler runs on
  /// the loop, unless it was written to leave it; then its end comes to the loop the same way, behind the response.
  func respond(_ response: some Message) {
    guard loop.isCurrent else { return loop.execute { self.respond(response) } }
    if !isFinished { enqueue(response) }
  }

  func respond(bytes: [UInt8]) {
    guard loop.isCurrent else { return loop.execute { self.respond(bytes: bytes) } }
    if !isFinished { enqueue(bytes: bytes) }
  }

  /// Sends one of many responses; suspends while too much waits to be sent.
  /// - Parameter compressed: nil leaves it to the call's threshold.
  func send(_ response: some Message, compressed: Bool? = nil) async throws {
    guard loop.keepsCurrentTask else {
      return try await loop.perform { try await self.send(response, compressed: compressed) }
    }
    try checkOpen()
    compressing(compressed) { enqueue(response) }
    flushMessages()
    try await awaitRoom()
  }

  func send(_ message: WireMessage) async throws {
    guard loop.keepsCurrentTask else {
      return try await loop.perform { try await self.send(message) }
    }
    try checkOpen()
    enqueue(message)
    flushMessages()
    try await awaitRoom()
  }

  func respond(_ message: WireMessage) {
    guard loop.isCurrent else { return loop.execute { self.respond(message) } }
    if !isFinished { enqueue(message) }
  }

  private func checkOpen() throws {
    if let failure { throw failure }
    guard !isFinished, connection != nil else { throw RPCError(.cancelled, "the call is over") }
  }
}

extension Message {
  /// Decodes what a client sent.
  init(request bytes: UnsafeRawBufferPointer) throws(RPCError) {
    do {
      try self.init(serialized: bytes)
    } catch {
      throw RPCError(.invalidArgument, "the request does not decode as \(Self.fullName): \(error)")
    }
  }

  /// Decodes what a server sent.
  init(response bytes: UnsafeRawBufferPointer) throws(RPCError) {
    do {
      try self.init(serialized: bytes)
    } catch {
      throw RPCError(.internalError, "the response does not decode as \(Self.fullName): \(error)")
    }
  }
}
