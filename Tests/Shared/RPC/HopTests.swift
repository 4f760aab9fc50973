import EventLoop
import Messages
import Testing

@testable import RPC

/// Client → gateway → service, over two real servers: what the client wants reaches the service.
@Suite(.timeLimit(.minutes(1))) struct HopTests {
  private struct Hops {
    let service: TestServer
    let gateway: TestServer

    init(_ build: (inout Router) -> Void) throws {
      service = try TestServer.start { build(&$0) }
      let upstream = service.channel
      gateway = try TestServer.start { router in
        for (name, type) in [
          ("Unary", CallType.unary), ("Idempotent", .unary), ("Upload", .clientStreaming),
          ("Download", .serverStreaming), ("Chat", .bidirectional),
        ] {
          router.forward(
            ForwardedMethod(
              service: "test.Test", method: name, type: type,
              idempotency: name == "Idempotent" ? .idempotent : .unknown),
            to: upstream)
        }
      }
    }

    func stop() async {
      await gateway.stop()
      await service.stop()
    }
  }

  /// Methods of each kind that say when they have begun, go on until they are cancelled, and say that.
  private static func endless(_ started: Event, _ ended: Event) throws -> Hops {
    @Sendable func untilCancelled() async throws {
      await started.set()
      // Nothing ever comes: this ends when the task is cancelled.
      let (nothing, source) = AsyncStream.makeStream(of: Never.self)
      for await _ in nothing {}
      withExtendedLifetime(source) {}
      await ended.set()
      throw CancellationError()
    }
    return try Hops { router in
      router.unary(TestMethods.unary) { request, _ in
        try await untilCancelled()
        return request
      }
      router.clientStreaming(TestMethods.upload) { _, _ in
        try await untilCancelled()
        return Response()
      }
      router.serverStreaming(TestMethods.download) { request, responses, _ in
        try await responses.send(request)
        try await untilCancelled()
      }
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        for try await request in requests {
          try await responses.send(request)
          break
        }
        try await untilCancelled()
      }
    }
  }

  /// A call of that kind, which ends only with an error.
  private static func call(_ type: CallType, _ channel: Channel, _ options: CallOptions = CallOptions()) async throws {
    switch type {
    case .unary: _ = try await channel.unary(TestMethods.unary, Request(), options: options)
    case .clientStreaming:
      _ = try await channel.clientStreaming(TestMethods.upload, options: options) { try await $0.send(Request()) }
    case .serverStreaming:
      for try await _ in try await channel.serverStreaming(TestMethods.download, Request(), options: options) {}
    case .bidirectional:
      let chat = try await channel.bidirectional(TestMethods.chat, options: options)
      try await chat.requests.send(Request())
      for try await _ in chat.responses {}
    }
  }

  private static let types: [CallType] = [.unary, .clientStreaming, .serverStreaming, .bidirectional]

  @Test("cancelling the caller's task ends the handler two hops away", arguments: types)
  func cancellation(_ type: CallType) async throws {
    let (started, ended) = (Event(), Event())
    let hops = try Self.endless(started, ended)
    let call = Task { await rpcError { try await Self.call(type, hops.gateway.channel) } }
    await started.wait()
    call.cancel()
    #expect(await call.value?.code == .cancelled)
    await ended.wait()
    await hops.stop()
  }

  @Test("a call through a gateway finds a service that has just come back", arguments: types)
  func reconnection(_ type: CallType) async throws {
    let group = try EventLoopGroup(loops: 1)
    let address = Address.unix(path: temporaryDirectory() + "/s")
    let upstream = Channel(target: Target(address), group: group)
    let gateway = try TestServer.start(group: group) { router in
      for (name, type) in [
        ("Unary", CallType.unary), ("Upload", .clientStreaming), ("Download", .serverStreaming),
        ("Chat", .bidirectional),
      ] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: name, type: type, idempotency: .unknown), to: upstream)
      }
    }
    // Nobody answers: the next attempt to connect waits for its time.
    #expect(await rpcError { try await upstream.unary(TestMethods.unary, Request()) }?.code == .unavailable)
    var router = Router()
    router.unary(TestMethods.unary) { request, _ in request }
    router.clientStreaming(TestMethods.upload) { requests, _ in
      for try await _ in requests {}
      return Response()
    }
    router.serverStreaming(TestMethods.download) { request, responses, _ in try await responses.send(request) }
    router.bidirectional(TestMethods.chat) { requests, responses, _ in
      for try await request in requests {
        try await responses.send(request)
        return
      }
    }
    let service = Server(group: group, router: router)
    _ = try service.listen(on: address)
    try await Self.call(type, gateway.channel)
    upstream.shutdown()
    _ = await service.shutdown(grace: .seconds(5))
    await gateway.stop()
  }

  @Test(
    "a call to a service that stays away fails, by its deadline at the latest",
    arguments: [
      (CallType.unary, "Unary", IdempotencyLevel.unknown), (.unary, "Unary", .idempotent),
      (.serverStreaming, "Download", .unknown),
    ])
  func away(_ type: CallType, _ name: String, _ idempotency: IdempotencyLevel) async throws {
    let upstream = Channel(
      target: Target(.unix(path: temporaryDirectory() + "/s")), group: try EventLoopGroup(loops: 1))
    let gateway = try TestServer.start { router in
      router.forward(
        ForwardedMethod(service: "test.Test", method: name, type: type, idempotency: idempotency), to: upstream)
    }
    let late = await rpcError {
      try await Self.call(type, gateway.channel, CallOptions(timeout: .milliseconds(50)))
    }
    #expect(late?.code == .deadlineExceeded || late?.code == .unavailable)
    let error = await rpcError { try await Self.call(type, gateway.channel) }
    #expect(error?.code == .unavailable && error?.message.contains("try again later") == true)
    upstream.shutdown()
    await gateway.stop()
  }

  @Test("the deadline ends the caller and the handler two hops away", arguments: types)
  func deadline(_ type: CallType) async throws {
    let (started, ended) = (Event(), Event())
    let hops = try Self.endless(started, ended)
    // Longer each time, until a busy machine gets the call to its handler before the deadline.
    var timeout = Duration.seconds(1)
    repeat {
      let options = CallOptions(timeout: timeout, waitForReady: true)
      let error = await rpcError { try await Self.call(type, hops.gateway.channel, options) }
      #expect(error?.code == .deadlineExceeded)
      timeout *= 2
    } while await !started.isSet
    await ended.wait()
    await hops.stop()
  }

  @Test("the next hop gets what is left of the deadline, each attempt less")
  func whatIsLeft() async throws {
    let left = Lock<[Duration]>([])
    let hops = try Hops { router in
      router.unary(TestMethods.idempotent) { request, context in
        let count = left.withLock {
          $0.append(context.remainingTime ?? .seconds(-1))
          return $0.count
        }
        // The gateway holds the call for 50 ms and makes it again.
        guard count > 1 else { throw RPCError(.unavailable, "", metadata: ["grpc-retry-pushback-ms": "50"]) }
        return request
      }
    }
    let options = CallOptions(timeout: .seconds(50), waitForReady: true)
    _ = try await hops.gateway.channel.unary(TestMethods.idempotent, Request(), options: options)
    let seen = left.withLock { $0 }
    #expect(seen.count == 2)
    // Rounded up to a microsecond on its way.
    #expect(seen[0] <= .seconds(50) + .microseconds(1))
    #expect(seen[1] <= seen[0] - .milliseconds(49))
    #expect(seen[1] > .zero)
    await hops.stop()
  }

  @Test("the next hop gets the caller's metadata, but not the credentials that were for the one before")
  func credentials() async throws {
    let hops = try Hops { router in
      router.unary(TestMethods.unary) { _, context in
        Response(sku: context.metadata.map { "\($0.name)=\($0.value)" }.joined(separator: ","))
      }
    }
    let options = CallOptions(metadata: ["authorization": "Bearer secret", "x-request-id": "1"], waitForReady: true)
    let response = try await hops.gateway.channel.unary(TestMethods.unary, Request(), options: options)
    #expect(response.sku == "x-request-id=1")
    await hops.stop()
  }

  @Test("without a deadline the next hop has none")
  func noDeadline() async throws {
    let hops = try Hops { router in
      router.unary(TestMethods.unary) { _, context in Response(sku: context.remainingTime == nil ? "none" : "some") }
    }
    let options = CallOptions(waitForReady: true)
    #expect(try await hops.gateway.channel.unary(TestMethods.unary, Request(), options: options).sku == "none")
    await hops.stop()
  }

  @Test("calls of all kinds that wait for a server go through once it starts", arguments: types)
  func waitForReady(_ type: CallType) async throws {
    let group = try EventLoopGroup(loops: 1)
    let directory = temporaryDirectory()
    let channel = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: group)
    let call = Task { await rpcError { try await Self.call(type, channel, CallOptions(waitForReady: true)) } }
    // The channel has looked, and found nothing.
    #expect(await rpcError { try await Self.call(type, channel) }?.code == .unavailable)
    var router = Router()
    @Sendable func answer() -> RPCError { RPCError(.dataLoss, "reached") }
    router.unary(TestMethods.unary) { _, _ in throw answer() }
    router.clientStreaming(TestMethods.upload) { _, _ in throw answer() }
    router.serverStreaming(TestMethods.download) { _, _, _ in throw answer() }
    router.bidirectional(TestMethods.chat) { _, _, _ in throw answer() }
    let server = Server(group: group, router: router)
    try server.listen(on: .unix(path: directory + "/late.sock"))
    #expect(await call.value?.message == "reached")
    channel.shutdown()
    await server.shutdown(grace: .seconds(1))
    group.stop()
  }
}
