import EventLoop
import Messages
import Testing

@testable import RPC

/// Unary calls through a server that passes them on, over a channel on the same loop with a connection that is ready: the
/// short way, and what leads off it.
@Suite(.timeLimit(.minutes(1))) struct UnaryForwardingTests {
  private struct Gateway {
    let server: TestServer
    let upstream: Channel

    /// Answers only when the connection behind it is ready.
    static func start(to address: Address, _ watcher: Watcher? = nil) async throws -> Gateway {
      let group = try EventLoopGroup(loops: 1)
      var options = ChannelOptions()
      if let watcher { options.interceptors = [watcher] }
      let upstream = Channel(target: Target(address), group: group, options: options)
      let server = try TestServer.start(group: group) { router in
        for method in [TestMethods.unary, TestMethods.idempotent] {
          router.forward(
            ForwardedMethod(
              service: method.service, method: method.method, type: .unary, idempotency: method.idempotency),
            to: upstream)
        }
        router.forward(
          ForwardedMethod(service: "test.Test", method: "WarmUp", type: .unary, idempotency: .unknown), to: upstream)
      }
      let gateway = Gateway(server: server, upstream: upstream)
      let warmUp = MethodDescriptor<Request, Response>(service: "test.Test", method: "WarmUp", type: .unary)
      _ = await rpcError { try await gateway.channel.unary(warmUp, Request(), options: .init(waitForReady: true)) }
      return gateway
    }

    var channel: Channel { server.channel }

    func stop() async {
      upstream.shutdown()
      await server.stop()
    }
  }

  // MARK: What passes

  @Test("metadata, trace, encoding and message pass both ways", arguments: [0, 10, 1 << 20])
  func passes(count: Int) async throws {
    let service = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, context in
        context.setInitialMetadata(["x-first": context.metadata["x-mine"] ?? ""])
        context.setTrailingMetadata(["x-last": "\(context.trace.traceID) \(context.trace.state)"])
        context.compressResponses(context.compressedRequestCount > 0)
        return request
      }
    }
    let gateway = try await Gateway.start(to: service.address)
    let trace = "0af7651916cd43dd8448eb211c80319c"
    let metadata: Metadata = [
      "x-mine": "kept", "traceparent": "00-\(trace)-b7ad6b7169203331-01", "tracestate": "rojo=1",
    ]
    let request = Request(sku: String(repeating: "x", count: count))
    for compression in [nil, Compression(threshold: 0)] {
      let options = CallOptions(metadata: metadata, compression: compression)
      let reply = try await gateway.channel.unaryReply(TestMethods.unary, request, options: options)
      #expect(reply.message.sku == request.sku)
      #expect(reply.initialMetadata["x-first"] == "kept")
      #expect(reply.trailingMetadata["x-last"] == "\(trace) rojo=1")
      #expect(reply.wasCompressed == (compression != nil && count > 10))
    }
    await gateway.stop()
    await service.stop()
  }

  @Test("many calls at once each get their own answer")
  func many() async throws {
    let service = try TestServer.start { router in router.unary(TestMethods.unary) { request, _ in request } }
    let gateway = try await Gateway.start(to: service.address)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for index in 0..<500 {
        tasks.addTask {
          let options = CallOptions(timeout: .seconds(50), metadata: ["x-index": "\(index)"])
          let request = Request(sku: "\(index)")
          let response = try await gateway.channel.unary(TestMethods.unary, request, options: options)
          #expect(response.sku == request.sku)
        }
      }
      try await tasks.waitForAll()
    }
    await gateway.stop()
    await service.stop()
  }

  @Test("an error passes with its details and metadata")
  func error() async throws {
    let service = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, _ in
        throw RPCError(.notFound, "no", details: [.retryInfo(.seconds(2))], metadata: ["x-error": "1"])
      }
    }
    let gateway = try await Gateway.start(to: service.address)
    let error = await rpcError { try await gateway.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .notFound)
    #expect(error?.message == "no")
    #expect(error?.retryDelay == .seconds(2))
    #expect(error?.metadata["x-error"] == "1")
    await gateway.stop()
    await service.stop()
  }

  @Test("a call that was made again says so, and is watched as one call")
  func madeAgain() async throws {
    let calls = Counter()
    let service = try TestServer.start { router in
      router.unary(TestMethods.idempotent) { _, context in
        calls.increment()
        guard calls.value > 2 else { throw RPCError(.unavailable, "not now") }
        return Response(sku: context.metadata.values(of: Metadata.previousAttempts).joined(separator: "+"))
      }
    }
    let watcher = Watcher()
    let gateway = try await Gateway.start(to: service.address, watcher)
    #expect(try await gateway.channel.unary(TestMethods.idempotent, Request()).sku == "2")
    await gateway.stop()
    await service.stop()
    let path = TestMethods.idempotent.path
    let failed = ["\(path) started", "\(path) attempt UNAVAILABLE sent 1/0 received 0/0"]
    #expect(
      watcher.all.filter { $0.hasPrefix(path) }
        == failed + failed + ["\(path) started", "\(path) attempt OK sent 1/0 received 1/3", "\(path) call OK"])
  }

  // MARK: Who gives up

  /// A service whose method goes on until it is cancelled.
  private static func endless(_ started: Event, _ ended: Event) throws -> TestServer {
    try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in
        await started.set()
        let (nothing, source) = AsyncStream.makeStream(of: Never.self)
        for await _ in nothing {}
        withExtendedLifetime(source) {}
        await ended.set()
        return request
      }
    }
  }

  @Test("cancelling the call ends the handler behind, and is watched as the call's end")
  func cancellation() async throws {
    let (started, ended) = (Event(), Event())
    let service = try Self.endless(started, ended)
    let watcher = Watcher()
    let gateway = try await Gateway.start(to: service.address, watcher)
    let call = Task { await rpcError { try await gateway.channel.unary(TestMethods.unary, Request()) } }
    await started.wait()
    call.cancel()
    #expect(await call.value?.code == .cancelled)
    await ended.wait()
    await gateway.stop()
    await service.stop()
    let path = TestMethods.unary.path
    #expect(
      watcher.all.filter { $0.hasPrefix(path) }
        == ["\(path) started", "\(path) attempt CANCELLED sent 1/0 received 0/0", "\(path) call CANCELLED"])
  }

  @Test("the deadline ends the call and the handler behind")
  func deadline() async throws {
    let (started, ended) = (Event(), Event())
    let service = try Self.endless(started, ended)
    let gateway = try await Gateway.start(to: service.address)
    // Longer each time, until a busy machine gets the call to its handler before the deadline.
    var timeout = Duration.milliseconds(200)
    repeat {
      let error = await rpcError {
        try await gateway.channel.unary(TestMethods.unary, Request(), options: CallOptions(timeout: timeout))
      }
      #expect(error?.code == .deadlineExceeded)
      timeout *= 2
    } while await !started.isSet
    await ended.wait()
    await gateway.stop()
    await service.stop()
  }

  // MARK: Servers that do otherwise

  enum Answer: CaseIterable, Sendable {
    case closed, refused, goAway, reset, noMessage, twoMessages, trailersOnly, noStatus

    /// Sends the answer to the call on `stream`.
    /// - Returns: whether the connection goes on.
    func send(_ stream: UInt32, _ peer: RawPeer) -> Bool {
      switch self {
      case .closed: return false
      case .refused: peer.send(Frame(.reset, stream: stream, Frame.number(7)))
      case .goAway: peer.send(Frame(.goAway, Frame.number(Int(stream) - 2) + Frame.number(0)))
      case .reset: peer.send(Frame(.reset, stream: stream, Frame.number(2)))
      case .noMessage: peer.send(.response(stream: stream), .trailers("0", stream: stream))
      case .twoMessages:
        peer.send(
          .response(stream: stream), .message([], stream: stream), .message([], stream: stream),
          .trailers("0", stream: stream))
      case .trailersOnly:
        peer.send(
          .headers(
            [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5")], stream: stream, end: true)
        )
      case .noStatus:
        peer.send(.response(stream: stream), .message([], stream: stream, end: true))
      }
      return true
    }

    /// What the client gets; nil for an answer, from the next attempt.
    func code(_ idempotency: IdempotencyLevel) -> StatusCode? {
      switch self {
      case .closed: idempotency.allowsRetry ? nil : .unavailable
      case .refused, .goAway: nil
      case .reset, .noStatus: .internalError
      case .noMessage, .twoMessages: .unimplemented
      case .trailersOnly: .notFound
      }
    }
  }

  @Test(
    "what a server does instead of answering ends the call, or has it made again where that is safe",
    arguments: Answer.allCases, [TestMethods.unary, TestMethods.idempotent])
  func otherwise(_ answer: Answer, _ method: MethodDescriptor<Request, Response>) async throws {
    let answers = Counter()
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      while let request = peer.receive(.headers) {
        if request.stream > 1, answers.value == 0 {
          answers.increment()
          guard answer.send(request.stream, peer) else { return }
        } else {
          peer.send(
            .response(stream: request.stream), .message([], stream: request.stream),
            .trailers("0", stream: request.stream))
        }
      }
    }
    let gateway = try await Gateway.start(to: server.address)
    let error = await rpcError { try await gateway.channel.unary(method, Request(sku: "a")) }
    #expect(error?.code == answer.code(method.idempotency), "\(error.map(String.init(describing:)) ?? "")")
    #expect(answers.value == 1)
    // Nothing is left over that would be in the way of the next one.
    #expect(try await gateway.channel.unary(method, Request(), options: .init(waitForReady: true)).sku == "")
    await gateway.stop()
    withExtendedLifetime(server) {}
  }
}
