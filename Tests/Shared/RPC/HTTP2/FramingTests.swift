import EventLoop
import Glibc
import Messages
import Testing

@testable import RPC

/// What RFC 9113 allows a peer to do and few ever do.
@Suite(.timeLimit(.minutes(1))) struct FramingTests {
  private static let message = Request(sku: String(repeating: "s", count: 40_000)).serialized()

  /// Calls once, with `bytes` made of the request's frames as `send` likes, and returns what the response carried.
  private static func echoed(
    settings: [UInt8] = [], _ send: @escaping @Sendable (RawPeer) -> Void
  ) async throws -> [UInt8] {
    let test = try TestServer.start { router in router.synchronous(TestMethods.unary) { request, _ in request } }
    let response = try await blocking { () -> [UInt8] in
      let peer = RawPeer.connect(to: test.address, settings: settings)
      defer { peer.close() }
      send(peer)
      var data: [UInt8] = []
      while let frame = peer.receiveFrame() {
        if frame.kind == Frame.Kind.data.rawValue {
          data += frame.payload
          let count = frame.payload.count
          if count > 0 {
            peer.send(
              Frame(.windowUpdate, Frame.number(count)), Frame(.windowUpdate, stream: 1, Frame.number(count)))
          }
        }
        if frame.stream == 1, frame.flags & Frame.endStream != 0, frame.kind != Frame.Kind.data.rawValue { break }
      }
      return Array(data.dropFirst(5))
    }
    await test.stop()
    return response
  }

  private static func request() -> [UInt8] {
    var bytes = Frame.request(TestMethods.unary.path, stream: 1).bytes
    var rest = [0] + Frame.number(message.count) + message
    while !rest.isEmpty {
      let part = Array(rest.prefix(16_384))
      rest.removeFirst(part.count)
      bytes += Frame(.data, flags: rest.isEmpty ? Frame.endStream : 0, stream: 1, part).bytes
    }
    return bytes
  }

  @Test("a request in pieces of any size", arguments: [1, 7, 8, 9, 10, 100, 16_392, 16_393, 16_394])
  func pieces(_ size: Int) async throws {
    let bytes = Self.request()
    let response = try await Self.echoed { peer in
      for start in stride(from: 0, to: bytes.count, by: size) {
        peer.send(Array(bytes[start..<min(start + size, bytes.count)]))
      }
    }
    #expect(response == Self.message)
  }

  @Test("a header block in several frames, the last one empty")
  func continuations() async throws {
    let response = try await Self.echoed { peer in
      let block = Frame.request(TestMethods.unary.path, stream: 1).payload
      peer.send(
        Frame(.headers, stream: 1, Array(block[..<10])), Frame(.continuation, stream: 1, Array(block[10..<40])),
        Frame(.continuation, stream: 1, Array(block[40...])), Frame(.continuation, flags: Frame.endHeaders, stream: 1))
      peer.send(.message(Request(sku: "s").serialized(), end: true))
    }
    #expect(response == Request(sku: "s").serialized())
  }

  @Test("padding and priority are passed over")
  func padding() async throws {
    let response = try await Self.echoed { peer in
      let block = Frame.request(TestMethods.unary.path, stream: 1).payload
      // PADDED and PRIORITY: three bytes of padding, a dependency and a weight (RFC 9113 §6.2).
      peer.send(Frame(.headers, flags: Frame.endHeaders | 0x28, stream: 1, [3, 0, 0, 0, 0, 16] + block + [0, 0, 0]))
      let message = Request(sku: "s").serialized()
      peer.send(Frame(.data, flags: 0x9, stream: 1, [2, 0] + Frame.number(message.count) + message + [0, 0]))
    }
    #expect(response == Request(sku: "s").serialized())
  }

  @Test("trailers in a request end it")
  func trailers() async throws {
    let response = try await Self.echoed { peer in
      peer.send(
        .request(TestMethods.unary.path, stream: 1), .message(Request(sku: "s").serialized()),
        .headers([("x-trailer", "ignored")], end: true))
    }
    #expect(response == Request(sku: "s").serialized())
  }

  @Test("a window of any size is kept to, and the rest follows", arguments: [1, 100, 16_384, 40_000])
  func smallWindow(_ size: Int) async throws {
    // SETTINGS_INITIAL_WINDOW_SIZE.
    let response = try await Self.echoed(settings: [0, 4] + Frame.number(size)) { $0.send(Self.request()) }
    #expect(response == Self.message)
  }

  @Test("a window that shrinks below zero while a response is under way, and opens again")
  func shrinkingWindow() async throws {
    let test = try TestServer.start { router in router.synchronous(TestMethods.unary) { request, _ in request } }
    let received = try await blocking { () -> [Int] in
      let peer = RawPeer.connect(to: test.address, settings: [0, 4] + Frame.number(20_000))
      defer { peer.close() }
      peer.send(Self.request())
      var counts: [Int] = []
      while counts.reduce(0, +) < 20_000, let frame = peer.receive(.data) { counts.append(frame.payload.count) }
      // 20 000 are used up: the window is -10 000 now (RFC 9113 §6.9.2). The answer to the PING shows that nothing came.
      peer.send(Frame(.settings, [0, 4] + Frame.number(10_000)), Frame(.ping, [UInt8](repeating: 1, count: 8)))
      while let frame = peer.receiveFrame(), frame.kind != Frame.Kind.ping.rawValue {
        if frame.kind == Frame.Kind.data.rawValue { counts.append(-1) }
      }
      peer.send(Frame(.windowUpdate, stream: 1, Frame.number(10_001)))
      if let frame = peer.receive(.data) { counts.append(frame.payload.count) }
      return counts
    }
    #expect(received == [16_384, 3_616, 1])
    await test.stop()
  }

  @Test("metadata of more than a frame travels in CONTINUATIONs")
  func largeMetadata() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, context in
        context.setTrailingMetadata(["x-large": String(repeating: "v", count: 30_000)])
        return request
      }
    }
    let error = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(error == nil)
    await test.stop()
  }

  @Test("calls beyond the server's limit wait for their turn, and can be cancelled while they do")
  func waiting() async throws {
    var options = ServerOptions()
    options.concurrentStreamLimit = 2
    let entered = Counter()
    let release = Event()
    let test = try TestServer.start(options: options) { router in
      router.unary(TestMethods.unary) { request, _ in
        entered.increment()
        await release.wait()
        return request
      }
    }
    let calls = (0..<20).map { number in
      Task { try await test.channel.unary(TestMethods.unary, Request(sku: "\(number)")).sku }
    }
    for call in calls[10...] { call.cancel() }
    for call in calls[10...] {
      let error = await rpcError { try await call.value }
      #expect(error?.code == .cancelled)
    }
    await release.set()
    for (number, call) in calls[..<10].enumerated() { #expect(try await call.value == "\(number)") }
    await test.stop()
  }

  @Test("after GOAWAY, calls that the server has not seen go elsewhere at once")
  func unseenCalls() async throws {
    let connections = Counter()
    let server = try RawServer { peer in
      connections.increment()
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      guard let request = peer.receive(.headers) else { return }
      if connections.value == 1 {
        // The last stream that was looked at: none.
        peer.send(Frame(.goAway, Frame.number(0) + Frame.number(0)))
      } else {
        let stream = request.stream
        peer.send(
          .response(stream: stream), .message(Response(sku: "s").serialized(), stream: stream),
          .trailers("0", stream: stream))
      }
      while peer.receiveFrame() != nil {}
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    #expect(try await channel.unary(TestMethods.unary, Request()).sku == "s")
    channel.shutdown()
    group.stop()
  }
}
