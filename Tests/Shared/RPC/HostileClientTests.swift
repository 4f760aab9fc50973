import EventLoop
import Messages
import Testing

@testable import RPC

/// A server whose client breaks the rules, or uses them up.
@Suite(.timeLimit(.minutes(1))) struct HostileClientTests {
  @Test("a client that makes the server reset its streams, again and again, is sent away")
  func madeReset() async throws {
    // Over TCP: who comes over a Unix socket is trusted with more.
    let test = try TestServer.start(.tcp) { router in router.unary(TestMethods.unary) { request, _ in request } }
    let address = test.address
    let code = try await blocking {
      let peer = RawPeer.connect(to: address)
      defer { peer.close() }
      // Enough for a slow machine, too, on which the allowance grows meanwhile.
      for call in 0..<20_000 {
        let stream = UInt32(1 + 2 * call)
        // More than a window can be (RFC 9113 §6.9.1).
        peer.send(
          .request(TestMethods.unary.path, stream: stream),
          Frame(.windowUpdate, stream: stream, Frame.number(0x7fff_ffff)))
      }
      return peer.receive(.goAway)?.payload[4...7].last
    }
    #expect(code == 0xb, "ENHANCE_YOUR_CALM")
    #expect(try await test.channel.unary(TestMethods.unary, Request(sku: "y")).sku == "y")
    await test.stop()
  }

  @Test("a client may send a PING with everything that it receives, as grpc-go does to measure the way")
  func measuringPings() async throws {
    let test = try TestServer.start(.tcp) { router in router.synchronous(TestMethods.unary) { _, _ in Response() } }
    let address = test.address
    let answered = try await blocking {
      let peer = RawPeer.connect(to: address)
      defer { peer.close() }
      for call in 0..<4000 {
        peer.send(
          .request(TestMethods.unary.path, stream: UInt32(1 + 2 * call)),
          .message([], stream: UInt32(1 + 2 * call), end: true))
        while let frame = peer.receive(.headers), frame.flags & Frame.endStream == 0 {}
        peer.send(Frame(.ping, [UInt8](repeating: 7, count: 8)))
        guard peer.receive(.ping) != nil else { return call }
      }
      return 4000
    }
    #expect(answered == 4000)
    await test.stop()
  }

  /// Sends calls with a message of 100 KB each and reports the first one that is answered with nothing but a status.
  private static func firstRefused(_ address: Address, _ limit: UInt32, settings: [UInt8], complete: Bool) async throws
    -> UInt32?
  {
    try await blocking {
      let peer = RawPeer.connect(to: address, settings: settings)
      defer { peer.close() }
      for call in 0..<limit {
        let stream = 1 + 2 * call
        peer.send(.request(TestMethods.unary.path, stream: stream))
        let message = Request(sku: String(repeating: "x", count: 100_000)).serialized()
        var bytes = [0] + Frame.number(complete ? message.count : message.count + 1) + message
        while !bytes.isEmpty {
          let part = Array(bytes.prefix(16_384))
          bytes.removeFirst(part.count)
          peer.send(Frame(.data, flags: complete && bytes.isEmpty ? Frame.endStream : 0, stream: stream, part))
        }
        // The answer to a PING comes behind whatever the server has to say of the call.
        peer.send(Frame(.ping, [UInt8](repeating: 7, count: 8)))
        while let frame = peer.receiveFrame(), frame.kind != Frame.Kind.ping.rawValue {
          if frame.kind == Frame.Kind.headers.rawValue, frame.flags & Frame.endStream != 0 { return frame.stream }
        }
      }
      return nil
    }
  }

  @Test("messages that are never finished take memory up to a limit; then calls are refused", arguments: [false, true])
  func buffers(_ complete: Bool) async throws {
    var options = ServerOptions()
    options.connectionBufferLimit = 1 << 20
    options.shortestPingInterval = .zero
    let test = try TestServer.start(options: options) { router in
      router.synchronous(TestMethods.unary) { request, _ in request }
    }
    // SETTINGS_INITIAL_WINDOW_SIZE 0: no response may be sent.
    let refused = try await Self.firstRefused(
      test.address, 20, settings: [0, 4] + Frame.number(0), complete: complete)
    #expect(refused.map { ($0 - 1) / 2 } == 10)
    #expect(try await test.channel.unary(TestMethods.unary, Request(sku: "y")).sku == "y")
    await test.stop()
  }

  @Test("a status that is too large for HTTP/2 still ends its call")
  func largeStatus() async throws {
    let test = try TestServer.start { router in
      // One character of 60 001 Unicode scalars.
      router.unary(TestMethods.unary) { _, _ in
        throw RPCError(.notFound, "e" + String(repeating: "\u{301}", count: 60_000))
      }
      router.unary(TestMethods.idempotent) { request, context in
        context.setTrailingMetadata(["x-large": String(repeating: "v", count: 70_000)])
        return request
      }
    }
    let error = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .notFound)
    #expect(error?.message.unicodeScalars.count == 512)
    let metadata = await rpcError { try await test.channel.unary(TestMethods.idempotent, Request()) }
    #expect(metadata?.code == .internalError)
    await test.stop()
  }

  @Test("spaces at the ends of a status message arrive")
  func spaces() async throws {
    let test = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, _ in throw RPCError(.notFound, " no such SKU: ") }
    }
    let error = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.message == " no such SKU: ")
    await test.stop()
  }

  @Test("a handler can give up reading and still answer")
  func cancelledReader() async throws {
    let test = try TestServer.start { router in
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        let reader = Task { for try await _ in requests { try await responses.send(Response(sku: "reading")) } }
        for _ in 0..<10 { await Task.yield() }
        reader.cancel()
        _ = await reader.result
        try await responses.send(Response(sku: "enough"))
      }
    }
    let call = try await test.channel.bidirectional(TestMethods.chat)
    var skus: [String] = []
    for try await response in call.responses { skus.append(response.sku) }
    #expect(skus == ["enough"])
    await test.stop()
  }
}
