import InteropMessages
import RPC

/// What the cases call.
struct InteropClient: Sendable {
  let channel: Channel
  let testService: Grpc.Testing.TestServiceClient

  init(_ channel: Channel) {
    self.channel = channel
    testService = Grpc.Testing.TestServiceClient(channel)
  }
}

/// The cases by their names, each as gRPC's `doc/interop-test-descriptions.md` describes it.
enum InteropCase {
  typealias Body = @Sendable (InteropClient) async throws -> Void

  static let all: [String: Body] = [
    "empty_unary": { try await $0.emptyUnary() },
    "large_unary": { try await $0.largeUnary() },
    "concurrent_large_unary": { try await $0.concurrentLargeUnary() },
    "client_streaming": { try await $0.clientStreaming() },
    "server_streaming": { try await $0.serverStreaming() },
    "ping_pong": { try await $0.pingPong() },
    "empty_stream": { try await $0.emptyStream() },
    "cancel_after_begin": { try await $0.cancelAfterBegin() },
    "cancel_after_first_response": { try await $0.cancelAfterFirstResponse() },
    "timeout_on_sleeping_server": { try await $0.timeoutOnSleepingServer() },
    "client_compressed_unary": { try await $0.clientCompressedUnary() },
    "server_compressed_unary": { try await $0.serverCompressedUnary() },
    "client_compressed_streaming": { try await $0.clientCompressedStreaming() },
    "server_compressed_streaming": { try await $0.serverCompressedStreaming() },
    "custom_metadata": { try await $0.customMetadata() },
    "status_code_and_message": { try await $0.statusCodeAndMessage() },
    "special_status_message": { try await $0.specialStatusMessage() },
    "unimplemented_method": { try await $0.unimplementedMethod() },
    "unimplemented_service": { try await $0.unimplementedService() },
  ]
}
