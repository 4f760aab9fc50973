import InteropMessages
import RPC

/// Cases about compression.
extension InteropClient {
  private static let compressing = CallOptions(compression: Compression())

  private func largeRequest(
    expectCompressed: Bool? = nil, responseCompressed: Bool? = nil
  ) -> Grpc.Testing.SimpleRequest {
    var request = Self.largeRequest
    request.expectCompressed = expectCompressed.map { .init(value: $0) }
    request.responseCompressed = responseCompressed.map { .init(value: $0) }
    return request
  }

  func clientCompressedUnary() async throws {
    try await expect("an uncompressed request that says it is compressed", endsWith: .invalidArgument) {
      _ = try await testService.unaryCall(largeRequest(expectCompressed: true))
    }
    for isCompressed in [true, false] {
      let response = try await testService.unaryCall(
        largeRequest(expectCompressed: isCompressed), options: isCompressed ? Self.compressing : CallOptions())
      try expect("response", response.payload?.body, isZeros: 314_159)
    }
  }

  func serverCompressedUnary() async throws {
    for isCompressed in [true, false] {
      let reply = try await channel.unaryReply(
        Grpc.Testing.TestServiceMethods.unaryCall, largeRequest(responseCompressed: isCompressed))
      try expect("response", reply.message.payload?.body, isZeros: 314_159)
      try expect("the response is compressed", reply.wasCompressed, is: isCompressed)
    }
  }

  func clientCompressedStreaming() async throws {
    @Sendable func request(_ isCompressed: Bool, _ size: Int) -> Grpc.Testing.StreamingInputCallRequest {
      .init(payload: zeros(size), expectCompressed: .init(value: isCompressed))
    }
    try await expect("an uncompressed request that says it is compressed", endsWith: .invalidArgument) {
      _ = try await testService.streamingInputCall(options: Self.compressing) { requests in
        try await requests.send(request(true, 27_182), compressed: false)
      }
    }
    let response = try await testService.streamingInputCall(options: Self.compressing) { requests in
      try await requests.send(request(true, 27_182), compressed: true)
      try await requests.send(request(false, 45_904), compressed: false)
    }
    try expect("aggregated_payload_size", response.aggregatedPayloadSize, is: 73_086)
  }

  func serverCompressedStreaming() async throws {
    let wanted = [(size: 31_415, isCompressed: true), (size: 92_653, isCompressed: false)]
    let responses = try await testService.streamingOutputCall(
      .init(responseParameters: wanted.map { .init(size: Int32($0.size), compressed: .init(value: $0.isCompressed)) }))
    var count = 0, compressedCount = 0
    for try await response in responses {
      guard count < wanted.count else { throw Failed("more than \(wanted.count) responses") }
      let (size, isCompressed) = wanted[count]
      try expect("response \(count + 1)", response.payload?.body, isZeros: size)
      let compressedBefore = compressedCount
      compressedCount = await responses.compressedCount
      try expect("response \(count + 1) is compressed", compressedCount > compressedBefore, is: isCompressed)
      count += 1
    }
    try expect("responses", count, is: wanted.count)
  }
}
