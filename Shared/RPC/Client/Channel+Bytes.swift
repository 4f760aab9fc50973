extension Channel {
  /// One message out, one in, both as bytes that this side does not look into.
  /// - Parameters:
  ///   - path: e.g. `/omsconnector.v1.InventoryService/GetStock`. Best the same string for all calls of a method, as it is
  ///     known by its memory then.
  ///   - request: the encoded message, without gRPC's length prefix.
  ///   - idempotency: whether the call may be made again elsewhere when it fails.
  /// - Returns: the encoded response.
  /// - Throws: `RPCError`.
  public func unaryBytes(
    path: String, request: [UInt8], idempotency: IdempotencyLevel = .unknown, options: CallOptions = CallOptions()
  ) async throws -> [UInt8] {
    try await unary(path: path, idempotency: idempotency, options: options, ByteMessages(request: request)).message
  }
}

private struct ByteMessages: UnaryMessages {
  let request: [UInt8]

  func write(to stream: ClientStream) { stream.enqueue(bytes: request) }
  func read(_ bytes: UnsafeRawBufferPointer, from stream: ClientStream) -> [UInt8] { [UInt8](bytes) }
}
