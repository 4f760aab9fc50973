import EventLoop
import Glibc
import Messages
import RPC
import Testing

@Suite(.timeLimit(.minutes(1))) struct ShutdownTests {
  @Test("a server that stops answers the calls that are under way, and no new ones")
  func drain() async throws {
    let (started, finish) = (Event(), Event())
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, _ in
        await started.set()
        await finish.wait()
        return request
      }
    }
    let call = Task { try await test.channel.unary(TestMethods.unary, Request(sku: "x")).sku }
    await started.wait()
    let shutdown = Task { await test.server.shutdown(grace: .seconds(30)) }
    // The address is free again as soon as the server has stopped listening.
    while await rpcError({ try await test.channel.unary(TestMethods.idempotent, Request()) })?.code != .unavailable {}
    await finish.set()
    #expect(try await call.value == "x")
    #expect(await shutdown.value)
    test.group.stop()
  }

  @Test("calls that outlast the grace are cut off, and the server says so")
  func cutOff() async throws {
    let started = Event()
    let test = try TestServer.start { router in
      router.bidirectional(TestMethods.chat) { requests, _, _ in
        await started.set()
        for try await _ in requests {}
      }
    }
    let chat = try await test.channel.bidirectional(TestMethods.chat)
    await started.wait()
    #expect(await test.server.shutdown(grace: .milliseconds(50)) == false)
    let error = await rpcError {
      for try await _ in chat.responses {}
      return 0
    }
    #expect(error?.code == .unavailable)
    test.group.stop()
  }

  @Test("idle connections do not hold a server up")
  func idleConnections() async throws {
    let test = try TestServer.start { router in router.unary(TestMethods.unary) { request, _ in request } }
    _ = try await test.channel.unary(TestMethods.unary, Request())
    #expect(await test.server.shutdown(grace: .seconds(30)))
    test.group.stop()
  }

  @Test("a second server on an address gets an error that names it", arguments: TestServer.Transport.allCases)
  func addressInUse(transport: TestServer.Transport) async throws {
    let test = try TestServer.start(transport) { _ in }
    let second = Server(group: test.group, router: Router())
    let error = #expect(throws: AddressError.self) { try second.listen(on: test.address) }
    #expect(error?.description.contains(test.address.description) == true)
    #expect(error?.reason == "another process listens there")
    await test.stop()
  }

  @Test("the file that a dead process left behind is replaced")
  func staleSocket() async throws {
    let path = temporaryDirectory() + "/s"
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    close(descriptor)
    let group = try EventLoopGroup(loops: 1)
    let server = Server(group: group, router: Router())
    try server.listen(on: .unix(path: path))
    await server.shutdown(grace: .seconds(1))
    group.stop()
  }
}
