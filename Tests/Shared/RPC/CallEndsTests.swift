import EventLoop
import Messages
import Testing

@testable import RPC

/// Which side says what last, and what the other one gets of it.
@Suite(.timeLimit(.minutes(1))) struct CallEndsTests {
  /// A server, and one in front of it that passes its calls on.
  private static func start(_ build: (inout Router) -> Void) throws -> (
    backend: TestServer, front: TestServer
  ) {
    let backend = try TestServer.start { build(&$0) }
    let front = try TestServer.start { router in
      for (method, type) in [
        ("Unary", CallType.unary), ("Upload", .clientStreaming), ("Download", .serverStreaming),
        ("Chat", .bidirectional),
      ] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: method, type: type, idempotency: .unknown),
          to: backend.channel)
      }
    }
    return (backend, front)
  }

  @Test("a client that has said everything still gets everything, also through a forwarding server")
  func halfClose() async throws {
    let (backend, front) = try Self.start { router in
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        var count = 0
        for try await _ in requests { count += 1 }
        for index in 0..<count { try await responses.send(Response(sku: "\(index)")) }
      }
    }
    for channel in [backend.channel, front.channel] {
      let call = try await channel.bidirectional(TestMethods.chat)
      for _ in 0..<50 { try await call.requests.send(Request()) }
      await call.requests.finish()
      var received: [String] = []
      for try await response in call.responses { received.append(response.sku) }
      #expect(received == (0..<50).map(String.init))
    }
    await front.stop()
    await backend.stop()
  }

  @Test(
    "metadata before and after no message at all arrive, whether the call succeeds or not",
    arguments: [StatusCode.ok, .aborted])
  func metadataWithoutMessages(code: StatusCode) async throws {
    let (backend, front) = try Self.start { router in
      router.serverStreaming(TestMethods.download) { _, _, context in
        context.setInitialMetadata(["x-first": "1"])
        context.setTrailingMetadata(["x-last": "2"])
        if code != .ok { throw RPCError(code, "as asked", metadata: ["x-error": "3"]) }
      }
    }
    for channel in [backend.channel, front.channel] {
      let responses = try await channel.serverStreaming(TestMethods.download, Request())
      var count = 0
      let error = await rpcError { for try await _ in responses { count += 1 } }
      #expect(count == 0)
      let (initial, trailing) = (await responses.initialMetadata, await responses.trailingMetadata)
      if code == .ok {
        #expect(error == nil)
        #expect(initial["x-first"] == "1")
      } else {
        // Trailers-Only: one block has both.
        #expect(error?.code == code)
        #expect(error?.metadata["x-error"] == "3")
        #expect((initial["x-first"] ?? trailing["x-first"]) == "1")
      }
      #expect(trailing["x-last"] == "2")
    }
    await front.stop()
    await backend.stop()
  }

  @Test("messages of no bytes are messages, in all kinds of call, also through a forwarding server")
  func emptyMessages() async throws {
    let (backend, front) = try Self.start { router in
      router.unary(TestMethods.unary) { request, _ in request }
      router.clientStreaming(TestMethods.upload) { requests, _ in
        var count = 0
        for try await request in requests where request == Request() { count += 1 }
        return Response(sku: "\(count)")
      }
      router.serverStreaming(TestMethods.download) { request, responses, _ in
        for _ in 0..<10 { try await responses.send(request) }
      }
    }
    for channel in [backend.channel, front.channel] {
      #expect(try await channel.unary(TestMethods.unary, Request()) == Response())
      let uploaded = try await channel.clientStreaming(TestMethods.upload) { writer in
        for _ in 0..<10 { try await writer.send(Request()) }
      }
      #expect(uploaded.sku == "10")
      var count = 0
      for try await response in try await channel.serverStreaming(TestMethods.download, Request())
      where response == Response() {
        count += 1
      }
      #expect(count == 10)
    }
    await front.stop()
    await backend.stop()
  }

  @Test(
    "a server that fails before its first message sends one block of headers, and RST_STREAM NO_ERROR if need be"
  )
  func trailersOnly() async throws {
    let test = try TestServer.start { router in
      router.bidirectional(TestMethods.chat) { _, _, _ in throw RPCError(.aborted, "éarly\n") }
    }
    let address = test.address
    let frames = try await blocking { () -> [Frame] in
      let peer = RawPeer.connect(to: address)
      defer { peer.close() }
      // The request stays open.
      peer.send(.request(TestMethods.chat.path, stream: 1))
      var frames: [Frame] = []
      while let frame = peer.receiveFrame() {
        if frame.stream == 1 { frames.append(frame) }
        if frame.kind == Frame.Kind.reset.rawValue { break }
      }
      return frames
    }
    #expect(frames.map(\.kind) == [Frame.Kind.headers.rawValue, Frame.Kind.reset.rawValue])
    #expect(frames.first.map { $0.flags & Frame.endStream } == Frame.endStream)
    #expect(frames.last?.payload == [0, 0, 0, 0])
    let fields = try #require(FieldDecoder().decode(frames[0].payload))
    #expect(fields.map(\.name).prefix(2) == [":status", "content-type"])
    #expect(fields.contains { $0 == ("grpc-status", "10") })
    #expect(fields.contains { $0 == ("grpc-message", "%C3%A9arly%0A") })
    await test.stop()
  }

  @Test(
    "a client keeps the status of a server that resets the stream behind it",
    arguments: [("0", StatusCode.ok), ("9", .failedPrecondition)])
  func resetBehindStatus(status: String, code: StatusCode) async throws {
    let server = try RawServer(
      answer: Frame.response().bytes + Frame.message([]).bytes + Frame.trailers(status).bytes
        + Frame(.reset, stream: 1, [0, 0, 0, 0]).bytes)
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let call = try await channel.bidirectional(TestMethods.chat)
    var count = 0
    let error = await rpcError { for try await _ in call.responses { count += 1 } }
    #expect((error?.code ?? .ok) == code)
    #expect(count == 1)
    channel.shutdown()
    group.stop()
  }

  @Test("the cause of a failure reaches who watches the calls, and never the client")
  func causes() async throws {
    struct Secret: Error { let text = "password=hunter2" }
    let seen = Ends()
    let test = try TestServer.start(options: ServerOptions(interceptors: [seen])) { router in
      router.unary(TestMethods.unary) { request, _ in
        if request.sku == "any" { throw Secret() }
        throw RPCError(
          .unavailable, "try again later", details: [.retryInfo(.seconds(1))],
          metadata: ["x-a": "b"], cause: Secret())
      }
    }
    for sku in ["any", "chosen"] {
      let error = try #require(
        await rpcError { try await test.channel.unary(TestMethods.unary, Request(sku: sku)) })
      #expect(error.cause == nil)
      #expect(!"\(error) \(error.details) \(error.metadata)".contains("hunter2"))
    }
    await test.stop()
    #expect(seen.errors.count == 2)
    #expect(seen.errors.allSatisfy { ($0?.cause as? Secret)?.text.contains("hunter2") == true })
  }
}

/// Notes how calls ended.
private final class Ends: ServerInterceptor, MethodInterceptor {
  private let noted = Lock<[RPCError?]>([])
  var errors: [RPCError?] { noted.withLock { $0 } }

  func interceptor(forPath path: String) -> (any MethodInterceptor)? { self }
  func callEnded(_ summary: CallSummary) { noted.withLock { $0.append(summary.error) } }
}
