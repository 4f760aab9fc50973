import CSystem
import Glibc
import RPC

@testable import EventLoop

/// Any bytes that a server may send to a client with calls of all kinds under way. Whatever they are, each call ends once
/// the channel is shut down and the server is gone.
final class ClientTarget: FuzzTarget {
  private let loop: EventLoop
  private let group: EventLoopGroup
  private let path = PeerSocket.temporaryPath()
  private let listener = PeerSocket.makeSocket()
  private let kind: InputKind
  private let calls = ClientCalls()

  /// How long calls may take to end, in nanoseconds; on a machine that does nothing else it takes some microseconds.
  private static let patience: UInt64 = 10_000_000_000

  init(input kind: InputKind) throws {
    self.kind = kind
    loop = try EventLoop()
    group = EventLoopGroup(running: loop)
    require(PeerSocket.withAddress(path) { bind(listener, $0, $1) } == 0, "bind: errno \(errno)")
    require(listen(listener, 10) == 0, "listen: errno \(errno)")
  }

  var takesFrames: Bool { kind == .bytes }

  func run(_ bytes: UnsafeRawBufferPointer) {
    var options = ChannelOptions()
    options.messageLimit = 100_000
    options.retry.attemptLimit = 2
    options.retry.initialBackOff = .nanoseconds(1)
    options.retry.longestPushback = .nanoseconds(1)
    let channel = Channel(target: .unix(.unix(path: path)), group: group, options: options)
    loop.runOnce()
    loop.runOnce()
    if let peer = accept() {
      calls.start(on: channel, loop)
      loop.runOnce()
      Conversation(peer: peer, role: .server, turn: loop.runOnce).run(bytes, kind)
    }
    channel.shutdown()
    // The client may have connected again.
    while accept() != nil {}
    let end = EventLoop.monotonicNanoseconds() + Self.patience
    repeat {
      loop.runOnce()
      require(EventLoop.monotonicNanoseconds() < end, "\(calls.underWay) calls have not ended with their channel")
    } while calls.underWay > 0
    // What the end of the last call has left to do.
    loop.runOnce()
  }

  private func accept() -> PeerSocket? {
    let descriptor = csystem_accept(listener)
    return descriptor >= 0 ? PeerSocket(descriptor: descriptor) : nil
  }
}

/// Calls of all kinds. How they end is not the question; that they end is.
private final class ClientCalls: @unchecked Sendable {
  // Sendable by the loop: its tasks run there only, and the fuzzer looks between its turns on the same thread.
  private(set) var underWay = 0

  func start(on channel: Channel, _ loop: EventLoop) {
    let request = Echo(aggregateId: "a", sku: "b")
    run(loop) { _ = try await channel.unary(FuzzService.unary, request) }
    run(loop) { _ = try await channel.unary(FuzzService.repeatable, request) }
    run(loop) {
      _ = try await channel.clientStreaming(FuzzService.upload) { writer in
        for _ in 0..<3 { try await writer.send(Echo(sku: String(repeating: "a", count: 60_000))) }
      }
    }
    run(loop) { for try await _ in try await channel.serverStreaming(FuzzService.download, request) {} }
    run(loop) {
      let call = try await channel.bidirectional(FuzzService.chat)
      try await call.requests.send(request)
      for try await response in call.responses { try await call.requests.send(response) }
    }
    run(loop) {
      var options = CallOptions(timeout: .seconds(3600))
      options.waitForReady = true
      _ = try await channel.unary(FuzzService.unary, request, options: options)
    }
  }

  private func run(_ loop: EventLoop, _ call: @escaping @Sendable () async throws -> Void) {
    underWay += 1
    Task(executorPreference: loop) {
      defer { self.underWay -= 1 }
      do {
        try await call()
      } catch {
        require(error is RPCError, "a call ended with \(error), which is no RPCError")
      }
    }
  }
}
