import RPC

@testable import EventLoop

/// Any bytes that a client may send. Whatever they are, the server closes the connection once the client has, and no call
/// of it is left.
final class ServerTarget: FuzzTarget {
  private let loop: EventLoop
  private let service = FuzzService()
  private let path = PeerSocket.temporaryPath()
  private let kind: InputKind
  private let server: Server

  init(input kind: InputKind) throws {
    self.kind = kind
    loop = try EventLoop()
    var options = ServerOptions()
    // Small enough to be reached by the fuzzer's inputs.
    options.messageLimit = 100_000
    options.concurrentStreamLimit = 10
    options.headerListLimit = 2000
    options.connectionBufferLimit = 200_000
    server = Server(group: EventLoopGroup(running: loop), router: service.router(), options: options)
    try server.listen(on: .unix(path: path))
    loop.runOnce()
  }

  var takesFrames: Bool { kind == .bytes }

  func run(_ bytes: UnsafeRawBufferPointer) {
    let peer = PeerSocket.connect(to: path)
    Conversation(peer: peer, role: .client, turn: loop.runOnce).run(bytes, kind)
    peer.endSending()
    // Each turn of the loop moves 64 KiB at least, and no answer to an input is larger than some MiB.
    var turns = 0
    while !peer.isAtEnd {
      loop.runOnce()
      peer.drain()
      turns += 1
      require(turns < 10_000, "the client has closed, but the server does not")
    }
    turns = 0
    while service.underWay > 0 {
      loop.runOnce()
      turns += 1
      require(turns < 1000, "\(service.underWay) calls have not ended with their connection")
    }
  }
}
