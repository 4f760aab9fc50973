import EventLoop
import Glibc
import Messages
import Testing

@testable import RPC

private struct WeakSubchannel: Sendable { weak let value: Subchannel? }

/// Calls that meet a connection on its way up or down.
@Suite(.timeLimit(.minutes(1))) struct ConnectingTests {
  @Test("a call of a task that is cancelled already ends, with a connection and without one", arguments: [true, false])
  func cancelledBefore(_ isReady: Bool) async throws {
    let started = Counter()
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in
        started.increment()
        return request
      }
    }
    let loop = test.group.loops[0]
    if isReady {
      try await loop.perform { _ = try await test.channel.unary(TestMethods.unary, Request()) }
    } else {
      await test.server.shutdown(grace: .zero)
    }
    let before = started.value
    // On the loop, so that the cancellation is there before anything else.
    let call = Task(executorPreference: loop) {
      withUnsafeCurrentTask { $0?.cancel() }
      return await rpcError {
        try await test.channel.unary(TestMethods.unary, Request(), options: CallOptions(waitForReady: true))
      }
    }
    #expect(await call.value?.code == .cancelled)
    if isReady { _ = try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(started.value == before + (isReady ? 1 : 0), "the cancelled call is not even sent")
    await test.stop()
  }

  @Test("a call that gets a connection which breaks in the same moment fails, rather than waiting for ever")
  func brokenAtOnce() async throws {
    let group = try EventLoopGroup(loops: 1)
    let address = Address.unix(path: temporaryDirectory() + "/s")
    let error = await Task(executorPreference: group.loops[0]) {
      let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      _ = address.withUnixSocketAddress { bind(listener, $0, $1) }
      listen(listener, 1)
      // Connects at once, as everything happens on its loop; the loop does not know yet.
      let channel = Channel(target: Target(address), group: group)
      let call = Task(executorPreference: group.loops[0]) {
        // Runs when its creator suspends, and waits for the loop to hear of the connection.
        await rpcError { try await channel.unary(TestMethods.unary, Request()) }
      }
      // The loop now finds the connection made and broken in one event.
      close(listener)
      defer { channel.shutdown() }
      return await call.value
    }.value
    #expect(error?.code == .unavailable)
    group.stop()
  }

  @Test("an address that disappears together with its connection is not tried again")
  func disappeared() async throws {
    let connection = Lock<Int32>(-1)
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      connection.withLock { $0 = peer.descriptor }
      while peer.receiveFrame() != nil {}
    }
    guard case .unix(let path) = server.address else { return }
    let group = try EventLoopGroup(loops: 1)
    let loop = group.loops[0]
    let directory = String(path.dropLast("/raw".count))
    let channel = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: group)
    while connection.withLock({ $0 < 0 }) { await Task.yield() }
    let weak = await loop.perform {
      let balancer = Mirror(reflecting: channel).descendant("balancers", 0) as? Balancer
      return WeakSubchannel(
        value: balancer.flatMap { Mirror(reflecting: $0).descendant("subchannels", 0) as? Subchannel })
    }
    #expect(weak.value != nil)
    await loop.perform {
      // The loop hears of the lost connection first, and looks into the directory because of it.
      shutdown(connection.withLock { $0 }, Int32(SHUT_RDWR))
      unlink(path)
    }
    while !channel.addresses.isEmpty { await Task.yield() }
    await loop.perform {}
    #expect(weak.value == nil, "nothing holds it any more, not even a timer")
    channel.shutdown()
    group.stop()
  }

  @Test(
    "nothing is left of a channel that is shut down",
    arguments: ["unix:/nowhere", "unix-dir:/nowhere", "dns:///127.0.0.1:1"])
  func release(_ target: String) async throws {
    let group = try EventLoopGroup(loops: 1)
    weak var balancer: Balancer?
    do {
      let channel = Channel(target: try Target(parsing: target), group: group)
      _ = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
      balancer = await group.loops[0].perform { Mirror(reflecting: channel).descendant("balancers", 0) as? Balancer }
      #expect(balancer != nil)
      channel.shutdown()
    }
    // What the loop had to do for the shutdown is done before this.
    await group.loops[0].perform {}
    #expect(balancer == nil)
    group.stop()
  }
}
