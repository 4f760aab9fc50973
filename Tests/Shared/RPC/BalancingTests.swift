import EventLoop
import Messages
import Testing

@testable import RPC

/// Which of several servers gets a call.
@Suite(.timeLimit(.minutes(1))) struct BalancingTests {
  /// Servers on ports of their own, in the order of a list.
  private struct Servers {
    let group: EventLoopGroup
    let servers: [Server]
    let addresses: [Address]
    /// Calls that each has had.
    let counts: [Counter]

    /// - Parameter answer: what a call to the server of that number ends with.
    init(_ count: Int, answer: @escaping @Sendable (Int) throws -> Void = { _ in }) throws {
      let group = try EventLoopGroup(loops: 1)
      let counts = (0..<count).map { _ in Counter() }
      self.counts = counts
      self.group = group
      servers = (0..<count).map { number in
        var router = Router()
        router.synchronous(TestMethods.unary) { _, _ in
          counts[number].increment()
          try answer(number)
          return Response(sku: String(number))
        }
        return Server(group: group, router: router)
      }
      addresses = try servers.map { try $0.listen(on: .tcp(host: "127.0.0.1", port: 0)) }
    }

    func stop() async {
      for server in servers { await server.shutdown(grace: .seconds(1)) }
      group.stop()
    }
  }

  private static let patient = CallOptions(waitForReady: true)

  @Test("pick first uses one address, and the next one when it is gone")
  func pickFirst() async throws {
    let servers = try Servers(3)
    let group = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.balancing = .pickFirst
    let channel = Channel(target: .list(servers.addresses), group: group, options: options)
    for number in 0..<3 {
      for _ in 0..<50 {
        #expect(try await channel.unary(TestMethods.unary, Request(), options: Self.patient).sku == String(number))
      }
      #expect(servers.counts.map(\.value) == (0..<3).map { $0 <= number ? 50 : 0 })
      await servers.servers[number].shutdown(grace: .seconds(1))
    }
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    channel.shutdown()
    await servers.stop()
    group.stop()
  }

  @Test("pick first passes over addresses at which nothing answers")
  func pickFirstThatAnswers() async throws {
    let servers = try Servers(1)
    let group = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.balancing = .pickFirst
    // Port 1 of loopback refuses.
    let nobody = (1...3).map { Address.tcp(host: "127.0.0.\($0)", port: 1) }
    let channel = Channel(target: .list(nobody + servers.addresses), group: group, options: options)
    // No call fails although the first addresses are refused: it waits for the next.
    #expect(try await channel.unary(TestMethods.unary, Request()).sku == "0")
    channel.shutdown()
    await servers.stop()
    group.stop()
  }

  @Test("a replica that fails every call is left alone, the others are not")
  func outlier() async throws {
    let servers = try Servers(3) { if $0 == 1 { throw RPCError(.internalError, "broken") } }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: .list(servers.addresses), group: group)
    var failures = 0
    // In turn over the three: the broken one has had its five failures by the end.
    while servers.counts.contains(where: { $0.value == 0 }) || failures < 5 {
      if await rpcError({ try await channel.unary(TestMethods.unary, Request(), options: Self.patient) }) != nil {
        failures += 1
      }
    }
    let before = servers.counts.map(\.value)
    for _ in 0..<100 { _ = try await channel.unary(TestMethods.unary, Request()) }
    #expect(zip(servers.counts, before).map { $0.value - $1 } == [50, 0, 50])
    channel.shutdown()
    await servers.stop()
    group.stop()
  }

  @Test("replicas that fail get calls all the same when no other is left")
  func outlierAlone() async throws {
    let servers = try Servers(2) { if $0 == 1 { throw RPCError(.internalError, "broken") } }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: .list(servers.addresses), group: group)
    while servers.counts[1].value < 5 {
      _ = await rpcError { try await channel.unary(TestMethods.unary, Request(), options: Self.patient) }
    }
    await servers.servers[0].shutdown(grace: .seconds(1))
    while servers.counts[1].value < 6 {
      _ = await rpcError { try await channel.unary(TestMethods.unary, Request(), options: Self.patient) }
    }
    channel.shutdown()
    await servers.stop()
    group.stop()
  }

  @Test("a call under way stays with a server that stops, and ends there; new ones go elsewhere")
  func goAway() async throws {
    let (arrived, release) = (Event(), Event())
    let group = try EventLoopGroup(loops: 1)
    let servers = (0..<2).map { number in
      var router = Router()
      router.unary(TestMethods.unary) { request, _ in
        if request.sku == "wait" {
          await arrived.set()
          await release.wait()
        }
        return Response(sku: String(number))
      }
      return Server(group: group, router: router)
    }
    let addresses = try servers.map { try $0.listen(on: .tcp(host: "127.0.0.1", port: 0)) }
    let own = try EventLoopGroup(loops: 1)
    let channel = Channel(target: .list(addresses), group: own)
    let slow = Task { try await channel.unary(TestMethods.unary, Request(sku: "wait"), options: Self.patient).sku }
    await arrived.wait()
    // Both are connected, and the slow call is on one of them.
    var seen: Set<String> = []
    while seen.count < 2 { seen.insert(try await channel.unary(TestMethods.unary, Request()).sku) }
    let stops = servers.map { server in Task { await server.shutdown(grace: .seconds(30)) } }
    // Only the idle one of the two can end by now.
    let error = await rpcError { while true { _ = try await channel.unary(TestMethods.unary, Request()) } }
    #expect(error?.code == .unavailable)
    await release.set()
    #expect(try await ["0", "1"].contains(slow.value))
    for stop in stops { #expect(await stop.value, "no call was cut off") }
    channel.shutdown()
    own.stop()
    group.stop()
  }

  @Test("a server that accepts and stops before it has greeted fails no call")
  func notGreeted() async throws {
    // A listener whose queue takes connections that nobody will ever serve.
    let server = try RawServer { peer in _ = peer.receive(RawPeer.preface.count) }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let call = Task { await rpcError { try await channel.unary(TestMethods.unary, Request(), options: Self.patient) } }
    while server.connections.value < 3 { await Task.yield() }
    call.cancel()
    #expect(await call.value?.code == .cancelled, "it still waited for a connection")
    channel.shutdown()
    group.stop()
  }
}
