import EventLoop
import Messages
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct FlowControlTests {
  private static let block = String(repeating: "x", count: 64 << 10)
  /// A stream window at the reader (1 MiB), the writer's queue (128 KiB), the sockets' buffers and one message each.
  private static let mostBlocksUnderWay = (1 << 20) / (64 << 10) + 2 + 64 + 2

  @Test("a handler that does not read stops its client; once it reads, everything arrives")
  func unreadRequests() async throws {
    let read = Event()
    let sent = Counter()
    let total = 500
    let test = try TestServer.start { router in
      router.clientStreaming(TestMethods.upload) { requests, _ in
        await read.wait()
        var count = 0
        for try await request in requests where request.sku.utf8.count == Self.block.utf8.count { count += 1 }
        return Response(sku: String(count))
      }
    }
    let call = Task {
      try await test.channel.clientStreaming(TestMethods.upload) { writer in
        for _ in 0..<total {
          try await writer.send(Request(sku: Self.block))
          sent.increment()
        }
      }
    }
    // Waits until the sender has made no progress for a while, which is what stopping looks like from outside.
    var last = -1
    while sent.value != last || last == 0 {
      last = sent.value
      await test.group.loops[0].sleep(for: .milliseconds(100))
    }
    #expect(last > 0 && last <= Self.mostBlocksUnderWay, "\(last) messages of 64 KiB were taken unread")
    await read.set()
    #expect(try await call.value.sku == String(total))
    await test.stop()
  }

  @Test("a client that does not read stops the handler; once it reads, everything arrives")
  func unreadResponses() async throws {
    let sent = Counter()
    let total = 500
    let test = try TestServer.start { router in
      router.serverStreaming(TestMethods.download) { _, responses, _ in
        for _ in 0..<total {
          try await responses.send(Response(sku: Self.block))
          sent.increment()
        }
      }
    }
    let responses = try await test.channel.serverStreaming(TestMethods.download, Request())
    var last = -1
    while sent.value != last || last == 0 {
      last = sent.value
      await test.group.loops[0].sleep(for: .milliseconds(100))
    }
    #expect(last <= Self.mostBlocksUnderWay, "\(last) messages of 64 KiB were sent unread")
    var count = 0
    for try await _ in responses { count += 1 }
    #expect(count == total)
    await test.stop()
  }

  @Test("an unread stream does not hold up its neighbours on the same connection")
  func neighbours() async throws {
    let read = Event()
    let test = try TestServer.start { router in
      router.clientStreaming(TestMethods.upload) { requests, _ in
        await read.wait()
        for try await _ in requests {}
        return Response()
      }
      router.unary(TestMethods.unary) { request, _ in request }
    }
    let uploads = (0..<10).map { _ in
      Task {
        try await test.channel.clientStreaming(TestMethods.upload) { writer in
          for _ in 0..<40 { try await writer.send(Request(sku: Self.block)) }
        }
      }
    }
    for _ in 0..<50 {
      let response = try await test.channel.unary(TestMethods.unary, Request(sku: Self.block))
      #expect(response.sku.utf8.count == Self.block.utf8.count)
    }
    await read.set()
    for upload in uploads { _ = try await upload.value }
    await test.stop()
  }

  @Test("a message over the limit is refused with its size, whichever side sends it")
  func messageLimit() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in request }
      router.unary(TestMethods.idempotent) { _, _ in Response(sku: String(repeating: "x", count: 5 << 20)) }
      router.clientStreaming(TestMethods.upload) { requests, _ in
        for try await _ in requests {}
        return Response()
      }
    }
    let large = Request(sku: String(repeating: "x", count: 5 << 20))
    let request = await rpcError { try await test.channel.unary(TestMethods.unary, large) }
    #expect(request?.code == .resourceExhausted)
    #expect(request?.message.contains("at most 4194304") == true)
    let response = await rpcError { try await test.channel.unary(TestMethods.idempotent, Request()) }
    #expect(response?.code == .resourceExhausted)
    let streamed = await rpcError {
      try await test.channel.clientStreaming(TestMethods.upload) { writer in
        try await writer.send(Request(sku: "small"))
        try await writer.send(large)
      }
    }
    #expect(streamed?.code == .resourceExhausted)
    // The connection is as good as before.
    #expect(try await test.channel.unary(TestMethods.unary, Request(sku: "y")).sku == "y")
    await test.stop()
  }

  @Test("too many headers end the call, not the connection")
  func headerLimit() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in request }
    }
    let error = await rpcError {
      try await test.channel.unary(
        TestMethods.unary, Request(), options: CallOptions(metadata: ["x-large": String(repeating: "v", count: 20_000)])
      )
    }
    #expect(error?.code == .resourceExhausted)
    #expect(try await test.channel.unary(TestMethods.unary, Request(sku: "y")).sku == "y")
    await test.stop()
  }
}
