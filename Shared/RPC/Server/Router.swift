import Messages

/// What a server answers: handlers by method. Adding a method twice is a programming error and stops the process.
///
/// Handlers run on the loop of the connection that the call came on, so they must not block: work that does belongs on
/// a thread of its own. What they throw ends the call: an `RPCError` as it is, anything else as INTERNAL.
public struct Router: Sendable {
  private(set) var methods: [Method] = []
  /// Full names of the services that have a method here, in the order in which they were added.
  public private(set) var services: [String] = []

  /// Without methods.
  public init() {}

  /// One message in, one out.
  public mutating func unary<Request, Response>(
    _ method: MethodDescriptor<Request, Response>,
    _ handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) {
    add(
      method.service, method.path,
      .unary { stream in
        let request = try stream.takeRequest(Request.self)
        stream.respond(try await handler(request, ServerContext(stream: stream)))
      })
  }

  /// One message in, one out, at once: the handler neither suspends nor blocks.
  public mutating func synchronous<Request, Response>(
    _ method: MethodDescriptor<Request, Response>,
    _ handler: @escaping @Sendable (Request, ServerContext) throws -> Response
  ) {
    add(
      method.service, method.path,
      .synchronous { bytes, stream in
        let request = try Request(request: bytes)
        stream.enqueue(try handler(request, ServerContext(stream: stream)))
      })
  }

  /// Any number of messages in, one out.
  public mutating func clientStreaming<Request, Response>(
    _ method: MethodDescriptor<Request, Response>,
    _ handler: @escaping @Sendable (RequestStream<Request>, ServerContext) async throws -> Response
  ) {
    add(
      method.service, method.path,
      .streaming { stream in
        stream.respond(try await handler(RequestStream(stream: stream), ServerContext(stream: stream)))
      })
  }

  /// One message in, any number out.
  public mutating func serverStreaming<Request, Response>(
    _ method: MethodDescriptor<Request, Response>,
    _ handler: @escaping @Sendable (Request, ResponseWriter<Response>, ServerContext) async throws -> Void
  ) {
    add(
      method.service, method.path,
      .unary { stream in
        let request = try stream.takeRequest(Request.self)
        try await handler(request, ResponseWriter(stream: stream), ServerContext(stream: stream))
      })
  }

  /// Any number of messages both ways.
  public mutating func bidirectional<Request, Response>(
    _ method: MethodDescriptor<Request, Response>,
    _ handler:
      @escaping @Sendable (RequestStream<Request>, ResponseWriter<Response>, ServerContext) async throws -> Void
  ) {
    add(
      method.service, method.path,
      .streaming { stream in
        try await handler(
          RequestStream(stream: stream), ResponseWriter(stream: stream), ServerContext(stream: stream))
      })
  }

  /// One message in, one out, at once, both as bytes that this side does not look into. The handler passes its response
  /// to `respond` once; the request's bytes are valid during its call only.
  public mutating func synchronousBytes(
    service: String, method: String,
    _ handler:
      @escaping @Sendable (
        _ request: UnsafeRawBufferPointer, _ context: ServerContext, _ respond: (UnsafeRawBufferPointer) -> Void
      ) throws -> Void
  ) {
    add(
      service, "/\(service)/\(method)",
      .synchronous { bytes, stream in
        try handler(bytes, ServerContext(stream: stream)) { stream.enqueue(bytes: $0) }
      })
  }

  /// One message in, one out, both as bytes that this side does not look into.
  public mutating func unaryBytes(
    service: String, method: String,
    _ handler: @escaping @Sendable ([UInt8], ServerContext) async throws -> [UInt8]
  ) {
    add(
      service, "/\(service)/\(method)",
      .unary { stream in
        let response = try await handler(stream.takeRequestBytes(), ServerContext(stream: stream))
        stream.respond(bytes: response)
      })
  }

  mutating func add(_ service: String, _ path: String, _ handler: Method.Handler) {
    precondition(!methods.contains { $0.path == path }, "\(path) is registered twice")
    methods.append(Method(path: path, handler: handler))
    if !services.contains(service) { services.append(service) }
  }
}
