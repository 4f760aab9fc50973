import EventLoop
import Glibc
import Testing

@testable import RPC

@Suite("Calls over TLS", .timeLimit(.minutes(1)))
struct TLSConnectionTests {
  /// A server that answers with what it knows of its peer.
  private struct Server {
    let group: EventLoopGroup
    let server: RPC.Server
    let address: Address
    let refusals: Refusals

    init(_ tls: TLSServerContext?) throws {
      group = try EventLoopGroup(loops: 1)
      var router = Router()
      router.unary(TestMethods.unary) { _, context in
        Response(aggregateId: "\(context.peer.isTrusted)", sku: context.peer.identity.joined(separator: ","))
      }
      let refusals = Refusals()
      self.refusals = refusals
      var options = ServerOptions()
      options.connectionRefused = { _, reason in refusals.add(reason) }
      server = RPC.Server(group: group, router: router, options: options)
      address = try server.listen(on: .tcp(host: "127.0.0.1", port: 0), tls: tls)
    }

    func channel(_ tls: TLSClientContext?, target: Target? = nil) -> Channel {
      var options = ChannelOptions()
      options.tls = tls
      options.retry = .never
      return Channel(target: target ?? Target(address), group: group, options: options)
    }

    func stop() async {
      await server.shutdown(grace: .seconds(5))
      group.stop()
    }
  }

  private final class Refusals: Sendable {
    private let reasons = Lock<[String]>([])
    func add(_ reason: String) { reasons.withLock { $0.append(reason) } }
    var all: [String] { reasons.withLock { $0 } }
  }

  @Test("a call knows the names of the client's certificate, and trusts it")
  func identity() async throws {
    let server = try Server(TestCertificates.server(clientCA: "ca.pem"))
    let channel = server.channel(try TestCertificates.client("client"))
    let answer = try await channel.unary(TestMethods.unary, Request())
    #expect(answer.aggregateId == "true")
    #expect(answer.sku == "client.example,spiffe://example.org/client")
    channel.shutdown()
    await server.stop()
  }

  @Test("a client without a certificate is nobody, over TLS and in plain text", arguments: [true, false])
  func nobody(hasTLS: Bool) async throws {
    let server = try Server(hasTLS ? TestCertificates.server() : nil)
    let channel = server.channel(hasTLS ? try TestCertificates.client() : nil)
    let answer = try await channel.unary(TestMethods.unary, Request())
    #expect(answer.aggregateId == "false" && answer.sku.isEmpty)
    channel.shutdown()
    await server.stop()
  }

  @Test("a name is looked up, and the certificate has to be for the name")
  func names() async throws {
    let server = try Server(TestCertificates.server())
    guard case .tcp(_, let port) = server.address else { return }
    let channel = server.channel(try TestCertificates.client(), target: .dns(host: "localhost", port: port))
    _ = try await channel.unary(TestMethods.unary, Request())
    channel.shutdown()
    let other = server.channel(try TestCertificates.client(serverName: "server.example"))
    let error = await rpcError { try await other.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("hostname mismatch") == true)
    other.shutdown()
    await server.stop()
  }

  @Test("a replica of a name is asked over the same TLS, and has to have the name's certificate")
  func replica() async throws {
    let server = try Server(TestCertificates.server("hostname"))
    guard case .tcp(_, let port) = server.address else { return }
    let channel = server.channel(try TestCertificates.client(), target: .dns(host: "localhost", port: port))
    let replica = channel.replica(at: server.address)
    _ = try await replica.unary(TestMethods.unary, Request())
    let byAddress = server.channel(try TestCertificates.client())
    let error = await rpcError { try await byAddress.unary(TestMethods.unary, Request()) }
    #expect(error?.message.contains("IP address mismatch") == true)
    for channel in [byAddress, replica, channel] { channel.shutdown() }
    await server.stop()
  }

  @Test("calls fail with the reason when the server's certificate is not good, and the server notes it")
  func badServer() async throws {
    let server = try Server(TestCertificates.server())
    let channel = server.channel(try TestCertificates.client(ca: "other-ca.pem"))
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.message.contains("unable to get local issuer certificate") == true)
    channel.shutdown()
    await server.stop()
    #expect(server.refusals.all.contains { $0.contains("unknown ca") })
  }

  @Test("calls fail with the reason when the client shows no certificate, and the server notes it")
  func badClient() async throws {
    let server = try Server(TestCertificates.server(clientCA: "ca.pem"))
    let channel = server.channel(try TestCertificates.client())
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    channel.shutdown()
    await server.stop()
    #expect(server.refusals.all.contains { $0.contains("no certificate") })
  }

  @Test("plain text to a TLS port, and TLS to a plain port, fail", arguments: [true, false])
  func mixedUp(serverHasTLS: Bool) async throws {
    let server = try Server(serverHasTLS ? TestCertificates.server() : nil)
    let channel = server.channel(serverHasTLS ? nil : try TestCertificates.client())
    let error = await rpcError {
      try await channel.unary(TestMethods.unary, Request(), options: CallOptions(timeout: .seconds(5)))
    }
    #expect(error?.code == .unavailable)
    channel.shutdown()
    await server.stop()
  }

  @Test("new connections get the certificate of a reload; a stream that is open goes on")
  func rotation() async throws {
    let directory = temporaryDirectory()
    let identity = TLSIdentity(certificateFile: directory + "/c.pem", keyFile: directory + "/c.key")
    try TestCertificates.copy("server", to: identity)
    let context = try TLSServerContext(TLSServerConfiguration(identity: identity))
    let group = try EventLoopGroup(loops: 1)
    var router = Router()
    router.bidirectional(TestMethods.chat) { requests, responses, _ in
      for try await request in requests { try await responses.send(request) }
    }
    let server = RPC.Server(group: group, router: router)
    let address = try server.listen(on: .tcp(host: "127.0.0.1", port: 0), tls: context)
    func channel(_ name: String?) throws -> Channel {
      var options = ChannelOptions()
      options.tls = try TestCertificates.client(serverName: name)
      options.retry = .never
      return Channel(target: Target(address), group: group, options: options)
    }
    let old = try channel(nil)
    let chat = try await old.bidirectional(TestMethods.chat)
    var answers = chat.responses.makeAsyncIterator()
    try await chat.requests.send(Request(sku: "before"))
    #expect(try await answers.next()?.sku == "before")

    try TestCertificates.copy("named", to: identity)
    try context.reload()
    let new = try channel("server.example")
    let other = try await new.bidirectional(TestMethods.chat)
    var otherAnswers = other.responses.makeAsyncIterator()
    try await other.requests.send(Request(sku: "new"))
    #expect(try await otherAnswers.next()?.sku == "new")
    await other.requests.finish()
    #expect(try await otherAnswers.next() == nil)

    try await chat.requests.send(Request(sku: "after"))
    #expect(try await answers.next()?.sku == "after")
    await chat.requests.finish()
    #expect(try await answers.next() == nil)
    old.shutdown()
    new.shutdown()
    await server.shutdown(grace: .seconds(5))
    group.stop()
  }

  @Test("a shutdown does not wait for a peer in the middle of its handshake")
  func drainDuringHandshake() async throws {
    let server = try Server(TestCertificates.server())
    guard case .tcp(let host, let port) = server.address else { return }
    let address = try #require(try SocketAddress.resolve(host: host, port: port).first)
    let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    #expect(address.withSocketAddress { connect(descriptor, $0, $1) } == 0)
    // The first bytes of a ClientHello.
    #expect(send(descriptor, [0x16, 3, 1] as [UInt8], 3, Int32(MSG_NOSIGNAL)) == 3)
    #expect(await server.server.shutdown(grace: .seconds(8)))
    server.group.stop()
  }
}
