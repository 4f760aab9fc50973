import EventLoop
import RPC
import Testing

/// Writes down what it sees of a channel's calls.
final class Watcher: ClientInterceptor {
  private let lines = Lock<[String]>([])
  var all: [String] { lines.withLock { $0 } }

  func interceptor(forPath path: String, target: Target) -> (any ClientMethodInterceptor)? {
    PerMethod(watcher: self, path: path)
  }

  private struct PerMethod: ClientMethodInterceptor {
    let watcher: Watcher
    let path: String

    func attemptStarted(loopIndex: Int) { append("started") }
    func attemptEnded(_ summary: AttemptSummary) {
      let counts = summary.messages
      append(
        "attempt \(summary.code) sent \(counts.sent)/\(counts.sentBytes) received \(counts.received)/\(counts.receivedBytes)"
      )
    }
    func callEnded(_ error: RPCError?, durationNanoseconds: UInt64, loopIndex: Int) {
      append("call \(error?.code ?? .ok)")
    }

    private func append(_ line: String) { watcher.lines.withLock { $0.append("\(path) \(line)") } }
  }
}

@Suite(.timeLimit(.minutes(1))) struct ClientInterceptorTests {
  private static func channel(to test: TestServer, _ watcher: Watcher) -> Channel {
    var options = ChannelOptions()
    options.interceptors = [watcher]
    return Channel(target: Target(test.address), group: test.group, options: options)
  }

  @Test("a call is one attempt when all goes well, with its messages")
  func unary() async throws {
    let test = try TestServer.start { router in router.unary(TestMethods.unary) { request, _ in request } }
    let watcher = Watcher()
    let channel = Self.channel(to: test, watcher)
    for _ in 0..<2 { _ = try await channel.unary(TestMethods.unary, Request(sku: "abc")) }
    channel.shutdown()
    await test.stop()
    let one = [
      "/test.Test/Unary started", "/test.Test/Unary attempt OK sent 1/5 received 1/5", "/test.Test/Unary call OK",
    ]
    #expect(watcher.all == one + one)
  }

  @Test("a stream is told of once, when it is over")
  func streams() async throws {
    let test = try TestServer.start { router in
      router.serverStreaming(TestMethods.download) { request, responses, _ in
        for _ in 0..<3 { try await responses.send(request) }
        throw RPCError(.aborted, "no more")
      }
    }
    let watcher = Watcher()
    let channel = Self.channel(to: test, watcher)
    let error = await rpcError {
      for try await _ in try await channel.serverStreaming(TestMethods.download, Request(sku: "abc")) {}
    }
    #expect(error?.code == .aborted)
    channel.shutdown()
    await test.stop()
    let lines = watcher.all.map { $0.replacing("/test.Test/Download ", with: "") }
    try #require(lines.count == 3)
    #expect(lines[0] == "started")
    #expect(lines[1] == "attempt ABORTED sent 1/5 received 3/15")
    #expect(lines[2] == "call ABORTED")
  }

  @Test("a call that no replica could be found for ends without an attempt")
  func nobody() async throws {
    let group = try EventLoopGroup(loops: 1)
    let watcher = Watcher()
    var options = ChannelOptions()
    options.interceptors = [watcher]
    let channel = Channel(
      target: Target(.unix(path: temporaryDirectory() + "/nobody")), group: group, options: options)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(watcher.all == ["/test.Test/Unary call UNAVAILABLE"])
    channel.shutdown()
    group.stop()
  }
}
