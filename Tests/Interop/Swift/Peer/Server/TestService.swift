import InteropMessages
import RPC

/// The service of the interoperability tests. `UnimplementedCall` and `UnimplementedService` stay out of the router:
/// the cases are about what a server says to methods that it doesn't know.
struct TestService {
  private typealias Methods = Grpc.Testing.TestServiceMethods

  func register(in router: inout Router) {
    router.synchronous(Methods.emptyCall) { _, _ in Grpc.Testing.Empty() }
    router.unary(Methods.unaryCall) { request, context in
      let echo = Echo(context)
      try expectCompressed(request.expectCompressed, context.compressedRequestCount > 0)
      try echo.status(request.responseStatus)
      if request.responseCompressed?.value == true { context.compressResponses() }
      return .init(payload: try Payload.make(request.responseType, size: request.responseSize))
    }
    router.clientStreaming(Methods.streamingInputCall) { requests, context in
      var size = 0
      var compressedCount = 0
      for try await request in requests {
        let compressedBefore = compressedCount
        compressedCount = context.compressedRequestCount
        try expectCompressed(request.expectCompressed, compressedCount > compressedBefore)
        size += request.payload?.body.count ?? 0
      }
      return .init(aggregatedPayloadSize: Int32(clamping: size))
    }
    router.serverStreaming(Methods.streamingOutputCall) { request, responses, context in
      let echo = Echo(context)
      try echo.status(request.responseStatus)
      try await answer(request, responses, context)
    }
    router.bidirectional(Methods.fullDuplexCall) { requests, responses, context in
      let echo = Echo(context)
      for try await request in requests {
        try echo.status(request.responseStatus)
        try await answer(request, responses, context)
      }
    }
  }
}

private func expectCompressed(_ expected: Grpc.Testing.BoolValue?, _ isCompressed: Bool) throws {
  guard let expected, expected.value != isCompressed else { return }
  throw RPCError(
    .invalidArgument, "the request is \(isCompressed ? "compressed" : "not compressed"), but says that it is otherwise")
}

/// Sends the responses that the request asks for, in order.
private func answer(
  _ request: Grpc.Testing.StreamingOutputCallRequest,
  _ responses: ResponseWriter<Grpc.Testing.StreamingOutputCallResponse>, _ context: ServerContext
) async throws {
  let compression = request.responseParameters.map { $0.compressed?.value == true }
  if compression.contains(true) { context.compressResponses() }
  for (parameters, isCompressed) in zip(request.responseParameters, compression) {
    if parameters.intervalUs > 0 { try await Task.sleep(for: .microseconds(Int64(parameters.intervalUs))) }
    let payload = try Payload.make(request.responseType, size: parameters.size)
    try await responses.send(.init(payload: payload), compressed: isCompressed)
  }
}

enum Payload {
  /// Fits the 4 MiB that a gRPC client accepts by default.
  private static let sizeLimit: Int32 = 4 << 20 - 64

  /// A payload of that many zeros.
  static func make(_ type: Grpc.Testing.PayloadType, size: Int32) throws -> Grpc.Testing.Payload {
    guard type == .compressable else {
      throw RPCError(.invalidArgument, "response_type \(type) is not known here; send COMPRESSABLE")
    }
    guard (0...sizeLimit).contains(size) else {
      throw RPCError(.invalidArgument, "a response of \(size) bytes; 0 to \(sizeLimit) can be had")
    }
    return .init(type: type, body: [UInt8](repeating: 0, count: Int(size)))
  }
}
