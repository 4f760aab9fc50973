import InteropMessages
import RPC

/// Cases about calls that end otherwise than with OK.
extension InteropClient {
  // MARK: Statuses

  func statusCodeAndMessage() async throws {
    try await statusIsEchoed("test status message")
  }

  func specialStatusMessage() async throws {
    try await statusIsEchoed("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n", unaryOnly: true)
  }

  private func statusIsEchoed(_ message: String, unaryOnly: Bool = false) async throws {
    let status = Grpc.Testing.EchoStatus(code: 2, message: message)
    try await expect("UnaryCall", endsWith: .unknown, message: message) {
      _ = try await testService.unaryCall(.init(responseStatus: status))
    }
    if unaryOnly { return }
    try await expect("FullDuplexCall", endsWith: .unknown, message: message) {
      let call = try await testService.fullDuplexCall()
      try await call.requests.send(.init(responseStatus: status))
      await call.requests.finish()
      for try await _ in call.responses { throw Failed("a response before the status") }
    }
  }

  func unimplementedMethod() async throws {
    try await expect("UnimplementedCall", endsWith: .unimplemented) {
      _ = try await testService.unimplementedCall(.init())
    }
  }

  func unimplementedService() async throws {
    let service = Grpc.Testing.UnimplementedServiceClient(channel)
    try await expect("UnimplementedCall", endsWith: .unimplemented) {
      _ = try await service.unimplementedCall(.init())
    }
  }

  // MARK: Cancellation and deadline

  func cancelAfterBegin() async throws {
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let call = Task {
      try await testService.streamingInputCall { _ in
        begin.finish()
        // Ends when the task is cancelled: nothing is ever put into it.
        for await _ in AsyncStream.makeStream(of: Never.self).stream {}
      }
    }
    for await _ in begun {}
    call.cancel()
    try await expect("StreamingInputCall", endsWith: .cancelled) { _ = try await call.value }
  }

  func cancelAfterFirstResponse() async throws {
    let call = try await testService.fullDuplexCall()
    var responses = call.responses.makeAsyncIterator()
    try await call.requests.send(.init(responseParameters: [.init(size: 31_415)], payload: zeros(27_182)))
    let first = try await responses.next()
    try expect("first response", first?.payload?.body, isZeros: 31_415)
    call.responses.cancel()
    try await expect("FullDuplexCall", endsWith: .cancelled) { _ = try await responses.next() }
  }

  func timeoutOnSleepingServer() async throws {
    // So that a connection is there and the deadline passes while the server has the call.
    _ = try await testService.emptyCall(.init())
    try await expect("FullDuplexCall", endsWith: .deadlineExceeded) {
      let call = try await testService.fullDuplexCall(options: .init(timeout: .milliseconds(1)))
      try await call.requests.send(.init(payload: zeros(27_182)))
      for try await _ in call.responses { throw Failed("a response that was not asked for") }
    }
  }
}
