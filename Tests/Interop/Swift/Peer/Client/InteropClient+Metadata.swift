import InteropMessages
import RPC

/// The case about metadata.
extension InteropClient {
  func customMetadata() async throws {
    var options = CallOptions()
    options.metadata.append(Echo.initialName, Self.initialValue)
    options.metadata.append(Echo.trailingName, bytes: Self.trailingValue)

    let reply = try await channel.unaryReply(
      Grpc.Testing.TestServiceMethods.unaryCall, Self.largeRequest, options: options)
    try expect("response of UnaryCall", reply.message.payload?.body, isZeros: 314_159)
    try check("UnaryCall", initial: reply.initialMetadata, trailing: reply.trailingMetadata)

    let call = try await testService.fullDuplexCall(options: options)
    try await call.requests.send(.init(responseParameters: [.init(size: 314_159)], payload: zeros(271_828)))
    await call.requests.finish()
    var count = 0
    for try await response in call.responses {
      try expect("response of FullDuplexCall", response.payload?.body, isZeros: 314_159)
      count += 1
    }
    try expect("responses of FullDuplexCall", count, is: 1)
    try check(
      "FullDuplexCall", initial: await call.responses.initialMetadata, trailing: await call.responses.trailingMetadata)
  }

  private static let initialValue = "test_initial_metadata_value"
  private static let trailingValue: [UInt8] = [0xab, 0xab, 0xab]

  private func check(_ what: String, initial: Metadata, trailing: Metadata) throws {
    try expect("initial metadata of \(what)", initial.values(of: Echo.initialName), is: [Self.initialValue])
    try expect("trailing metadata of \(what)", trailing.binaryValues(of: Echo.trailingName), is: [Self.trailingValue])
  }
}
