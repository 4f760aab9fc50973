import EventLoop
import Messages
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct RoundTripTests {
  @Test("all four kinds of call carry their messages", arguments: TestServer.Transport.allCases)
  func allKinds(transport: TestServer.Transport) async throws {
    let test = try TestServer.start(transport) { router in
      router.unary(TestMethods.unary) { request, _ in Response(aggregateId: request.sku, sku: request.aggregateId) }
      router.synchronous(TestMethods.idempotent) { request, _ in request }
      router.clientStreaming(TestMethods.upload) { requests, _ in
        var count = 0
        for try await _ in requests { count += 1 }
        return Response(sku: String(count))
      }
      router.serverStreaming(TestMethods.download) { request, responses, _ in
        for index in 0..<(Int(request.sku) ?? 0) { try await responses.send(Response(sku: String(index))) }
      }
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        for try await request in requests { try await responses.send(Response(sku: request.sku + "!")) }
      }
    }
    #expect(
      try await test.channel.unary(TestMethods.unary, Request(aggregateId: "a", sku: "b"))
        == Response(aggregateId: "b", sku: "a"))
    #expect(try await test.channel.unary(TestMethods.unary, Request()) == Response())
    #expect(try await test.channel.unary(TestMethods.idempotent, Request(sku: "x")).sku == "x")
    let uploaded = try await test.channel.clientStreaming(TestMethods.upload) { writer in
      for index in 0..<10_000 { try await writer.send(Request(sku: String(index))) }
    }
    #expect(uploaded.sku == "10000")
    var downloaded: [String] = []
    for try await response in try await test.channel.serverStreaming(TestMethods.download, Request(sku: "10000")) {
      downloaded.append(response.sku)
    }
    #expect(downloaded == (0..<10_000).map(String.init))
    let chat = try await test.channel.bidirectional(TestMethods.chat)
    var answers = chat.responses.makeAsyncIterator()
    for index in 0..<100 {
      try await chat.requests.send(Request(sku: String(index)))
      #expect(try await answers.next()?.sku == "\(index)!")
    }
    await chat.requests.finish()
    #expect(try await answers.next() == nil)
    await test.stop()
  }

  @Test(
    "messages of any size up to the limit arrive whole", arguments: [0, 1, 16_379, 16_384, 65_536, 1 << 20, 4 << 20],
    [TestServer.Transport.unix, .tls])
  func sizes(size: Int, transport: TestServer.Transport) async throws {
    let test = try TestServer.start(transport) { router in
      router.unary(TestMethods.unary) { request, _ in request }
      router.synchronous(TestMethods.idempotent) { request, _ in request }
    }
    // Four bytes of tag and length at most.
    let text = String(repeating: "x", count: max(0, size - 8))
    for method in [TestMethods.unary, TestMethods.idempotent] {
      let response = try await test.channel.unary(method, Request(sku: text))
      #expect(response.sku == text)
    }
    await test.stop()
  }

  @Test("a thousand calls at once come back each with its own answer")
  func concurrentCalls() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in
        await Task.yield()
        return request
      }
    }
    try await withThrowingTaskGroup(of: (String, String).self) { tasks in
      for index in 0..<1000 {
        tasks.addTask {
          let sku = "sku-\(index)"
          return (sku, try await test.channel.unary(TestMethods.unary, Request(sku: sku)).sku)
        }
      }
      for try await (sent, received) in tasks { #expect(sent == received) }
    }
    await test.stop()
  }

  @Test("metadata travels both ways; what HTTP/2 or gRPC reserve does not")
  func metadata() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, context in
        context.setInitialMetadata(["x-first": "1"])
        context.setTrailingMetadata(["x-last": "2"])
        let names = context.metadata.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
        throw RPCError(.aborted, names, metadata: ["x-detail": "3"])
      }
    }
    let error = await rpcError {
      try await test.channel.unary(
        TestMethods.unary, Request(),
        options: CallOptions(metadata: [
          "X-Trace": "abc", "x-trace": "def", "grpc-status": "0", "te": "gzip", "x-nul": "a\0b",
        ]))
    }
    #expect(error?.message == "x-trace=abc;x-trace=def")
    #expect(error?.metadata["x-detail"] == "3")
    await test.stop()
  }

  @Test(
    "a handler's error arrives with code and message, whatever the characters",
    arguments: [
      (StatusCode.notFound, "no SKU \"MÜG-✓\" in EU-WEB: 100 % sure\r\n"), (.invalidArgument, ""),
      (.unauthenticated, "%41 %zz %"), (.dataLoss, "\u{0}\u{7f}é"),
    ])
  func errors(code: StatusCode, message: String) async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, _ in throw RPCError(code, message) }
      router.bidirectional(TestMethods.chat) { _, responses, _ in
        try await responses.send(Response(sku: "one"))
        throw RPCError(code, message)
      }
    }
    let unary = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(unary?.code == code)
    #expect(unary?.message == message)
    let chat = try await test.channel.bidirectional(TestMethods.chat)
    let streamed = await rpcError {
      for try await _ in chat.responses {}
      return 0
    }
    #expect(streamed?.code == code)
    #expect(streamed?.message == message)
    await test.stop()
  }

  @Test("an error that is not an RPCError is INTERNAL and keeps its text to itself")
  func causesStayInside() async throws {
    struct Secret: Error { let text = "password=hunter2" }
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, _ in throw Secret() }
    }
    let error = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .internalError)
    #expect(error?.message.contains("hunter2") == false)
    await test.stop()
  }

  @Test("a method that is not there is UNIMPLEMENTED, of all kinds")
  func unknownMethod() async throws {
    let test = try TestServer.start { _ in }
    #expect(await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }?.code == .unimplemented)
    let upload = await rpcError {
      try await test.channel.clientStreaming(TestMethods.upload) { writer in
        for _ in 0..<100 { try await writer.send(Request(sku: String(repeating: "x", count: 100_000))) }
      }
    }
    #expect(upload?.code == .unimplemented)
    await test.stop()
  }
}
