import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct ByteCallTests {
  @Test("bytes that neither side looks into come back as they were", arguments: [0, 1, 16_384, 1 << 20])
  func echo(count: Int) async throws {
    let test = try TestServer.start { router in
      router.unaryBytes(service: "test.Bytes", method: "Task") { request, _ in request }
      router.synchronousBytes(service: "test.Bytes", method: "Now") { request, _, respond in respond(request) }
    }
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    for method in ["Task", "Now"] {
      #expect(try await test.channel.unaryBytes(path: "/test.Bytes/\(method)", request: bytes) == bytes)
    }
    await test.stop()
  }

  @Test("a call of bytes that fails throws its status")
  func failure() async throws {
    let test = try TestServer.start { router in
      router.unaryBytes(service: "test.Bytes", method: "Task") { _, _ in throw RPCError(.notFound, "no such thing") }
    }
    let error = await #expect(throws: RPCError.self) {
      try await test.channel.unaryBytes(path: "/test.Bytes/Task", request: [1])
    }
    #expect(error?.code == .notFound)
    #expect(error?.message == "no such thing")
    await test.stop()
  }
}
