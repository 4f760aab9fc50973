import EventLoop
import Messages
import Testing

@testable import RPC

/// Retries of real calls.
@Suite(.timeLimit(.minutes(1))) struct RetryTests {
  /// A server whose method fails in the given ways, one after the other, and then answers with what it was sent of earlier
  /// attempts.
  private static func failing(_ errors: [RPCError], calls: Counter) throws -> TestServer {
    let seen = Lock<[String]>([])
    return try TestServer.start { router in
      for method in [TestMethods.idempotent, TestMethods.unary] {
        router.unary(method) { _, context in
          let attempts = context.metadata.values(of: "grpc-previous-rpc-attempts").joined(separator: "+")
          let all = seen.withLock {
            $0.append(attempts)
            return $0
          }
          let index = calls.value
          calls.increment()
          if index < errors.count { throw errors[index] }
          return Response(sku: all.joined(separator: ","))
        }
      }
    }
  }

  private static let unavailable = RPCError(.unavailable, "not now")

  @Test("the server is told how often the call was made before")
  func previousAttempts() async throws {
    let calls = Counter()
    let test = try Self.failing([Self.unavailable, Self.unavailable], calls: calls)
    let options = CallOptions(metadata: ["x-mine": "kept"])
    #expect(try await test.channel.unary(TestMethods.idempotent, Request(), options: options).sku == ",1,2")
    await test.stop()
  }

  @Test("a server that asks not to be asked again is not", arguments: ["-1", "soon", "60001"])
  func pushedBackForGood(_ value: String) async throws {
    let calls = Counter()
    let test = try Self.failing(
      [RPCError(.unavailable, "stay away", metadata: ["grpc-retry-pushback-ms": value])], calls: calls)
    let error = await rpcError { try await test.channel.unary(TestMethods.idempotent, Request()) }
    #expect(error?.code == .unavailable)
    #expect(calls.value == 1)
    await test.stop()
  }

  @Test("a server that has no room and says when it has is asked again then")
  func pushedBack() async throws {
    let calls = Counter()
    let full = RPCError(.resourceExhausted, "full", metadata: ["grpc-retry-pushback-ms": "1"])
    let test = try Self.failing([full, full], calls: calls)
    #expect(try await test.channel.unary(TestMethods.idempotent, Request()).sku == ",1,2")
    await test.stop()
  }

  @Test("the time in RetryInfo counts as well")
  func retryInfo() async throws {
    let calls = Counter()
    let full = RPCError(.resourceExhausted, "full", details: [.retryInfo(.milliseconds(1))])
    let test = try Self.failing([full], calls: calls)
    #expect(try await test.channel.unary(TestMethods.idempotent, Request()).sku == ",1")
    await test.stop()
  }

  @Test("a failure's pause that the deadline has no room for is not waited for")
  func noTimeLeft() async throws {
    let calls = Counter()
    let later = RPCError(.unavailable, "in 50 s", metadata: ["grpc-retry-pushback-ms": "50000"])
    let test = try Self.failing([later], calls: calls)
    let error = await rpcError {
      try await test.channel.unary(TestMethods.idempotent, Request(), options: CallOptions(timeout: .seconds(40)))
    }
    // The failure itself, at once, rather than DEADLINE_EXCEEDED 40 s later.
    #expect(error?.message == "in 50 s")
    #expect(calls.value == 1)
    await test.stop()
  }

  @Test("cancelling a call that waits to be made again ends it at once")
  func cancelledWhileWaiting() async throws {
    let calls = Counter()
    let later = RPCError(.unavailable, "in 50 s", metadata: ["grpc-retry-pushback-ms": "50000"])
    let test = try Self.failing([later], calls: calls)
    let call = Task { await rpcError { try await test.channel.unary(TestMethods.idempotent, Request()) } }
    while calls.value == 0 { await Task.yield() }
    call.cancel()
    // Within the suite's minute, and before the 50 s are over: the wait itself is what would take them.
    let began = ContinuousClock.now
    #expect(await call.value?.code == .cancelled)
    #expect(ContinuousClock.now - began < .seconds(40))
    #expect(calls.value == 1)
    await test.stop()
  }

  @Test("a response that has begun is not asked for again")
  func begunResponse() async throws {
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      guard let request = peer.receive(.headers) else { return }
      // Headers, then the connection breaks.
      peer.send(.response(stream: request.stream))
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.idempotent, Request()) }
    #expect(error?.code == .unavailable)
    channel.shutdown()
    group.stop()
  }

  @Test("a budget that is spent lets calls fail the first time")
  func spentBudget() async throws {
    let calls = Counter()
    let group = try EventLoopGroup(loops: 1)
    let test = try Self.failing(Array(repeating: Self.unavailable, count: 1000), calls: calls)
    var options = ChannelOptions()
    options.retry.initialBackOff = .milliseconds(1)
    options.retry.budget.tokens = 4
    let channel = Channel(target: Target(test.address), group: group, options: options)
    // Its first failure leaves three of four tokens, its second two: no more.
    _ = await rpcError { try await channel.unary(TestMethods.idempotent, Request()) }
    #expect(calls.value == 2)
    _ = await rpcError { try await channel.unary(TestMethods.idempotent, Request()) }
    #expect(calls.value == 3)
    channel.shutdown()
    await test.stop()
    group.stop()
  }
}
