import EventLoop
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(1))) struct ConnectionLimitTests {
  @Test("a connection too many is closed at once, and there is room again when another one ends")
  func limit() async throws {
    var options = ServerOptions()
    options.connectionLimit = 2
    // Without a channel, whose own connections would count.
    let group = try EventLoopGroup(loops: 2)
    let server = Server(group: group, router: Router(), options: options)
    let address = try server.listen(on: .unix(path: temporaryDirectory() + "/s"))
    let first = RawPeer.connect(to: address)
    let second = RawPeer.connect(to: address)
    #expect(first.receive(.settings) != nil)
    #expect(second.receive(.settings) != nil)
    let third = RawPeer.connect(to: address)
    #expect(third.receiveFrame() == nil)
    third.close()
    first.close()
    // Until the server has noticed.
    var next = RawPeer.connect(to: address)
    while next.receive(.settings) == nil {
      next.close()
      next = RawPeer.connect(to: address)
    }
    next.close()
    second.close()
    await server.shutdown(grace: .seconds(5))
    group.stop()
  }

  @Test("clients over TCP leave room for those on the Unix socket")
  func reserved() async throws {
    var options = ServerOptions()
    options.connectionLimit = 16
    let group = try EventLoopGroup(loops: 1)
    let server = Server(group: group, router: Router(), options: options)
    let tcp = try server.listen(on: .tcp(host: "127.0.0.1", port: 0))
    let unix = try server.listen(on: .unix(path: temporaryDirectory() + "/s"))
    let strangers = (0..<15).map { _ in RawPeer.connect(to: tcp) }
    for stranger in strangers { #expect(stranger.receive(.settings) != nil) }
    let tooMany = RawPeer.connect(to: tcp)
    #expect(tooMany.receiveFrame() == nil)
    let local = RawPeer.connect(to: unix)
    #expect(local.receive(.settings) != nil)
    for peer in strangers + [tooMany, local] { peer.close() }
    await server.shutdown(grace: .seconds(5))
    group.stop()
  }

  @Test(
    "a quarter of the descriptors is never given to connections",
    arguments: [(16_384, 1024, 768), (16_384, 65_536, 16_384), (100, 1024, 100), (16_384, UInt.max, 16_384)]
      as [(Int, UInt, Int)])
  func descriptors(wanted: Int, descriptors: UInt, limit: Int) {
    #expect(Server.connectionLimit(wanted, descriptors: descriptors) == limit)
  }
}
