import EventLoop
import Glibc
import Messages
import Testing

@testable import RPC

/// Peers that say nothing, and connections that have lasted long enough.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTimeTests {
  @Test("a client that sends nothing, or half a preface, is sent away", arguments: [0, 10, 24])
  func handshake(_ count: Int) async throws {
    var options = ServerOptions()
    options.handshakeTimeout = .milliseconds(50)
    let test = try TestServer.start(options: options) { _ in }
    let isClosed = try await blocking {
      let peer = RawPeer(connectedTo: test.address)
      defer { peer.close() }
      peer.send(Array(RawPeer.preface.prefix(count)))
      while peer.receiveFrame() != nil {}
      return true
    }
    #expect(isClosed)
    await test.stop()
  }

  @Test(
    "a silent client gets a PING; without an answer the connection ends, with one it lasts", arguments: [true, false])
  func serverKeepalive(_ answers: Bool) async throws {
    var options = ServerOptions()
    options.keepalive = Keepalive(time: .milliseconds(30), timeout: .milliseconds(30))
    let test = try TestServer.start(options: options) { _ in }
    let pings = try await blocking {
      let peer = RawPeer.connect(to: test.address)
      defer { peer.close() }
      var pings = 0
      while pings < 3, let ping = peer.receive(.ping) {
        pings += 1
        if answers { peer.send(Frame(.ping, flags: 1, ping.payload)) }
      }
      return pings
    }
    #expect(pings == (answers ? 3 : 1))
    await test.stop()
  }

  @Test("a call to a server that has fallen silent ends without a deadline")
  func clientKeepalive() async throws {
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      while peer.receiveFrame() != nil {}
    }
    let group = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.keepalive = Keepalive(time: .milliseconds(30), timeout: .milliseconds(30))
    let channel = Channel(target: Target(server.address), group: group, options: options)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("does not answer a PING") == true, "\(error?.message ?? "")")
    channel.shutdown()
    group.stop()
  }

  @Test("PINGs that come too soon end the connection, unless calls are answered in between", arguments: [true, false])
  func earlyPings(_ withCalls: Bool) async throws {
    let test = try TestServer.start { router in router.synchronous(TestMethods.unary) { request, _ in request } }
    let reason = try await blocking { () -> String? in
      let peer = RawPeer.connect(to: test.address)
      defer { peer.close() }
      for call in 0..<10 {
        if withCalls {
          let stream = UInt32(1 + 2 * call)
          peer.send(.request(TestMethods.unary.path, stream: stream), .message([], stream: stream, end: true))
        }
        peer.send(Frame(.ping, [UInt8](repeating: 1, count: 8)))
        while let frame = peer.receiveFrame(), frame.kind != Frame.Kind.ping.rawValue {
          if frame.kind == Frame.Kind.goAway.rawValue { return String(decoding: frame.payload[8...], as: UTF8.self) }
        }
      }
      return nil
    }
    #expect(reason == (withCalls ? nil : "too_many_pings"))
    await test.stop()
  }

  @Test("a connection that is old enough is replaced, and no call notices")
  func age() async throws {
    var options = ServerOptions()
    options.connectionAge = .milliseconds(20)
    let clients = Lock<Set<Address>>([])
    let test = try TestServer.start(.tcp, options: options) { router in
      router.unary(TestMethods.unary) { request, context in
        if case .tcp(let address) = context.peer.kind { clients.withLock { _ = $0.insert(address) } }
        return request
      }
    }
    // A server that sends its clients away every 20 ms is met with patience: a connection that lasted no second may be one
    // that does not work.
    let call = CallOptions(waitForReady: true)
    while clients.withLock({ $0.count }) < 4 {
      #expect(try await test.channel.unary(TestMethods.unary, Request(sku: "new"), options: call).sku == "new")
    }
    await test.stop()
  }

  @Test("a call that outlasts a connection's age has its grace, and no more")
  func grace() async throws {
    var options = ServerOptions()
    options.connectionAge = .milliseconds(20)
    options.connectionAgeGrace = .milliseconds(50)
    let test = try TestServer.start(options: options) { router in
      router.unary(TestMethods.unary) { request, _ in
        try await Task.sleep(for: .seconds(3600))
        return request
      }
    }
    let error = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    await test.stop()
  }
}
