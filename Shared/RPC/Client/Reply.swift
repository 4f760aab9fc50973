import EventLoop
import Messages

extension Channel {
  /// A response with the metadata around it.
  public struct Reply<Message: Sendable>: Sendable {
    /// The response itself.
    public let message: Message
    /// What the server sent before the response.
    public let initialMetadata: Metadata
    /// What the server sent with the status. That of a call that failed is in its `RPCError`.
    public let trailingMetadata: Metadata
    /// Whether the message came compressed.
    public let wasCompressed: Bool
    let encoding: MessageEncoding
  }

  /// One message out, one in, with the metadata that the response came with.
  /// - Throws: `RPCError`.
  public func unaryReply<Request, Response>(
    _ method: MethodDescriptor<Request, Response>, _ request: Request, options: CallOptions = CallOptions()
  ) async throws -> Reply<Response> {
    try await unary(
      path: method.path, idempotency: method.idempotency, options: options,
      TypedMessages<Request, Response>(request: request))
  }
}

/// The request of a unary call, and how its response is read.
struct TypedMessages<Request: Message, Response: Message>: UnaryMessages {
  let request: Request

  func write(to stream: ClientStream) {
    request.withPacked { packed in stream.enqueueMessage(count: packed.count) { packed.write(to: $0) } }
  }

  func read(_ bytes: UnsafeRawBufferPointer, from stream: ClientStream) throws(RPCError) -> Response {
    try Response(response: bytes)
  }
}

extension ResponseStream {
  /// What the server sent before its first message: complete as soon as that has been read or the stream has ended.
  public var initialMetadata: Metadata {
    get async {
      let stream = stream
      return await stream.loop.perform { stream.initialMetadata }
    }
  }

  /// What the server sent with its status: complete as soon as the stream has ended. That of a call that failed is in its
  /// `RPCError`, too.
  public var trailingMetadata: Metadata {
    get async {
      let stream = stream
      return await stream.loop.perform { stream.trailingMetadata }
    }
  }
}
