extension Channel {
  /// One message out, one in, both as bytes that this side does not look into.
  /// - Parameters:
  ///   - service: e.g. `omsconnector.v1.InventoryService`.
  ///   - method: e.g. `GetStock`.
  ///   - request: the encoded message, without gRPC's length prefix.
  ///   - idempotency: whether the call may be made again elsewhere when it fails.
  /// - Returns: the encoded response.
  /// - Throws: `RPCError`.
  public func unaryBytes(
    service: String, method: String, request: [UInt8], idempotency: IdempotencyLevel = .unknown,
    options: CallOptions = CallOptions()
  ) async throws -> [UInt8] {
    let reply = try await unary(
      path: "/\(service)/\(method)", idempotency: idempotency, options: options,
      write: { $0.enqueue(bytes: request) }, read: { bytes, _ in [UInt8](bytes) })
    return reply.message
  }
}
