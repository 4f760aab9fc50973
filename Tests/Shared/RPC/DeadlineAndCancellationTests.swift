import EventLoop
import Messages
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct DeadlineAndCancellationTests {
  /// A handler that waits for a message that never comes, and says when it was let go.
  private static func waiting(_ started: Event, _ ended: Event) throws -> TestServer {
    try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in
        await started.set()
        while !Task.isCancelled { await Task.yield() }
        await ended.set()
        throw CancellationError()
      }
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        await started.set()
        do {
          for try await _ in requests {}
        } catch {
          await ended.set()
          throw error
        }
      }
    }
  }

  @Test("a deadline ends the call at the client and the handler's task at the server")
  func deadline() async throws {
    let (started, ended) = (Event(), Event())
    let test = try Self.waiting(started, ended)
    let error = await rpcError {
      try await test.channel.unary(TestMethods.unary, Request(), options: CallOptions(timeout: .seconds(1)))
    }
    #expect(error?.code == .deadlineExceeded)
    await ended.wait()
    await test.stop()
  }

  @Test("the handler sees the deadline")
  func deadlineIsPassedOn() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, context in
        Response(
          sku: context.remainingTime.map { $0 > .seconds(50) && $0 <= .seconds(61) ? "near" : "\($0)" } ?? "none")
      }
    }
    #expect(try await test.channel.unary(TestMethods.unary, Request()).sku == "none")
    let options = CallOptions(timeout: .seconds(60))
    #expect(try await test.channel.unary(TestMethods.unary, Request(), options: options).sku == "near")
    await test.stop()
  }

  @Test("a deadline that has passed already is not even sent")
  func expiredDeadline() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in request }
    }
    let error = await rpcError {
      try await test.channel.unary(TestMethods.unary, Request(), options: CallOptions(timeout: .zero))
    }
    #expect(error?.code == .deadlineExceeded)
    await test.stop()
  }

  @Test("cancelling the caller's task ends the handler's task")
  func clientCancels() async throws {
    let (started, ended) = (Event(), Event())
    let test = try Self.waiting(started, ended)
    let call = Task { await rpcError { try await test.channel.unary(TestMethods.unary, Request()) } }
    await started.wait()
    call.cancel()
    #expect(await call.value?.code == .cancelled)
    await ended.wait()
    await test.stop()
  }

  @Test("cancelling a response stream wakes the handler that waits for requests")
  func streamCancelled() async throws {
    let (started, ended) = (Event(), Event())
    let test = try Self.waiting(started, ended)
    let chat = try await test.channel.bidirectional(TestMethods.chat)
    await started.wait()
    chat.responses.cancel()
    let error = await rpcError {
      for try await _ in chat.responses {}
      return 0
    }
    #expect(error?.code == .cancelled)
    await ended.wait()
    await test.stop()
  }

  @Test("a server that ends a stream early stops the sender with its status")
  func serverEndsEarly() async throws {
    let test = try TestServer.start { router in
      router.clientStreaming(TestMethods.upload) { requests, _ -> Response in
        for try await _ in requests { throw RPCError(.resourceExhausted, "one is enough") }
        return Response()
      }
    }
    let error = await rpcError {
      try await test.channel.clientStreaming(TestMethods.upload) { writer in
        while true { try await writer.send(Request(sku: String(repeating: "x", count: 10_000))) }
      }
    }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message == "one is enough")
    await test.stop()
  }

  @Test("a server that answers early with OK gives its answer, although the sender goes on")
  func serverAnswersEarly() async throws {
    let test = try TestServer.start { router in
      router.clientStreaming(TestMethods.upload) { requests, _ in
        var iterator = requests.makeAsyncIterator()
        return try await iterator.next() ?? Response()
      }
    }
    let response = try await test.channel.clientStreaming(TestMethods.upload) { writer in
      for index in 0..<1000 {
        try await writer.send(Request(aggregateId: String(repeating: "x", count: 1000), sku: String(index)))
      }
    }
    #expect(response.sku == "0")
    await test.stop()
  }

  @Test("a body that throws cancels its call and passes its own error on")
  func bodyThrows() async throws {
    struct Mine: Error {}
    let (started, ended) = (Event(), Event())
    let test = try TestServer.start { router in
      router.clientStreaming(TestMethods.upload) { requests, _ in
        await started.set()
        do {
          for try await _ in requests {}
        } catch {
          await ended.set()
          throw error
        }
        return Response()
      }
    }
    await #expect(throws: Mine.self) {
      _ = try await test.channel.clientStreaming(TestMethods.upload) { _ in
        await started.wait()
        throw Mine()
      }
    }
    await ended.wait()
    await test.stop()
  }
}
