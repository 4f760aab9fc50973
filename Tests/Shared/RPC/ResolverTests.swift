import EventLoop
import Glibc
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(1))) struct ResolverTests {
  @Test("of a directory with more sockets than a target may have addresses, the first ones are used")
  func crowdedDirectory() async throws {
    let directory = temporaryDirectory()
    for number in 0...Target.addressLimit {
      let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      _ = Address.unix(path: "\(directory)/\(number)").withUnixSocketAddress { bind(descriptor, $0, $1) }
      close(descriptor)
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: group)
    while channel.addresses.isEmpty { await Task.yield() }
    #expect(channel.addresses.count == Target.addressLimit)
    channel.shutdown()
    group.stop()
  }

  @Test("each address counts once, in the order in which it came")
  func distinct() {
    let (a, b) = (Address.tcp(host: "127.0.0.1", port: 1), Address.tcp(host: "127.0.0.2", port: 1))
    #expect(Resolver.distinct([b, a, b, a]) == [b, a])
    #expect(Resolver.distinct([]) == [])
  }

  @Test("a name that nobody knows fails calls with that reason")
  func unknownName() async throws {
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: try Target(parsing: "dns:///no-such-host.invalid:1"), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("no-such-host.invalid") == true)
    channel.shutdown()
    group.stop()
  }
}
