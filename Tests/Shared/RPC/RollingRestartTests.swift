import EventLoop
import Messages
import Testing

@testable import RPC

/// All replicas are restarted, one after the other, under load.
@Suite(.timeLimit(.minutes(1))) struct RollingRestartTests {
  /// A replica that comes and goes at one path.
  private final class Replica: Sendable {
    let path: String
    let group: EventLoopGroup

    init(path: String) throws {
      self.path = path
      group = try EventLoopGroup(loops: 1)
    }

    func start() throws -> Server {
      var router = Router()
      router.synchronous(TestMethods.idempotent) { request, _ in request }
      router.unary(TestMethods.unary) { request, _ in
        // Some calls take a few turns of the loop, so that a stop meets them under way.
        for _ in 0..<(Int(request.sku) ?? 0) % 20 { await Task.yield() }
        return request
      }
      router.clientStreaming(TestMethods.upload) { requests, _ in
        var count = 0
        for try await _ in requests { count += 1 }
        return Response(sku: String(count))
      }
      let server = Server(group: group, router: router)
      try server.listen(on: .unix(path: path))
      return server
    }
  }

  /// Calls over `channel` from 32 tasks until `isOver`; what failed.
  private static func load(
    _ channel: Channel, _ done: Counter, while body: @escaping @Sendable () async throws -> Void
  ) async throws -> [RPCError] {
    let isOver = Counter()
    return try await withThrowingTaskGroup(of: [RPCError].self) { tasks in
      for number in 0..<32 {
        tasks.addTask {
          var failures: [RPCError] = []
          var calls = number
          while isOver.value == 0 {
            calls += 1
            let text = String(calls)
            let error = await rpcError {
              switch calls % 3 {
              case 0: #expect(try await channel.unary(TestMethods.unary, Request(sku: text)).sku == text)
              case 1: #expect(try await channel.unary(TestMethods.idempotent, Request(sku: text)).sku == text)
              default:
                let reply = try await channel.clientStreaming(TestMethods.upload) { writer in
                  for _ in 0..<3 { try await writer.send(Request(sku: text)) }
                }
                #expect(reply.sku == "3")
              }
            }
            if let error { failures.append(error) }
            done.increment()
          }
          return failures
        }
      }
      tasks.addTask {
        defer { isOver.increment() }
        try await body()
        return []
      }
      return try await tasks.reduce(into: []) { $0 += $1 }
    }
  }

  /// Until that many more calls have ended.
  private static func wait(for more: Int, _ done: Counter) async {
    let goal = done.value + more
    while done.value < goal { await Task.yield() }
  }

  @Test("no call fails, idempotent or not, streaming or not, directly or through a gateway", arguments: [false, true])
  func rollingRestart(throughGateway: Bool) async throws {
    let directory = temporaryDirectory()
    let replicas = try (1...3).map { try Replica(path: "\(directory)/\($0).sock") }
    let servers = try replicas.map { try $0.start() }
    let group = try EventLoopGroup(loops: 2)
    let upstream = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: group)
    let gateway = try TestServer.start { router in
      for (name, type) in [("Unary", CallType.unary), ("Idempotent", .unary), ("Upload", .clientStreaming)] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: name, type: type, idempotency: .unknown), to: upstream)
      }
    }
    let channel = throughGateway ? gateway.channel : upstream
    _ = try await channel.unary(TestMethods.unary, Request(), options: CallOptions(waitForReady: true))
    let done = Counter()
    let failures = try await Self.load(channel, done) {
      for (replica, server) in zip(replicas, servers) {
        await Self.wait(for: 500, done)
        #expect(await server.shutdown(grace: .seconds(20)), "a call was cut off")
        await Self.wait(for: 200, done)
        _ = try replica.start()
      }
      await Self.wait(for: 500, done)
    }
    #expect(failures.isEmpty, "\(failures.count) of \(done.value): \(failures.first.map { "\($0)" } ?? "")")
    await gateway.stop()
    upstream.shutdown()
    for replica in replicas { replica.group.stop() }
    group.stop()
  }
}
