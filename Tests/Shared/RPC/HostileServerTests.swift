import EventLoop
import Glibc
import Messages
import Testing

@testable import RPC

/// A client whose server breaks the rules, or keeps to them in ways that no server of ours would.
@Suite(.timeLimit(.minutes(1))) struct HostileServerTests {
  struct Answer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let code: StatusCode?

    init(_ name: String, _ code: StatusCode?, _ frames: Frame...) {
      (testDescription, bytes, self.code) = (name, frames.flatMap(\.bytes), code)
    }
  }

  private static let ok = Response(sku: "s").serialized()

  static let answers = [
    Answer("what a call looks like", nil, .response(), .message(ok), .trailers("0")),
    Answer(
      "an interim response before it", nil, .headers([(":status", "103")]), .response(), .message(ok), .trailers("0")),
    Answer("no trailers", .internalError, .response(), .message(ok, end: true)),
    Answer("trailers without a status", .internalError, .response(), .message(ok), .headers([("x", "y")], end: true)),
    Answer(
      "the status in the headers only", .internalError,
      .headers([(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")]),
      .message(ok, end: true)),
    Answer("a status that is not a number", .unknown, .response(), .message(ok), .trailers("abc")),
    Answer("a status that does not exist", .unknown, .response(), .message(ok), .trailers("99")),
    Answer("OK without a response", .unimplemented, .response(), .trailers("0")),
    Answer("a message that ends early", .internalError, .response(), .message([1, 2], announced: 9), .trailers("0")),
    Answer("a message over the limit", .resourceExhausted, .response(), .message([], announced: 5 << 20)),
    Answer("a second response and no end", .unimplemented, .response(), .message(ok), .message(ok)),
    Answer("a message that is none of ours", .internalError, .response(), .message([0xff, 0xff]), .trailers("0")),
    Answer("trailers twice", nil, .response(), .message(ok), .trailers("0"), .trailers("5")),
    Answer("HTTP 503", .unavailable, .headers([(":status", "503"), ("content-type", "text/html")])),
    Answer("a content-type of its own", .unknown, .headers([(":status", "200"), ("content-type", "text/html")])),
    Answer(
      "a content-length below zero", .internalError,
      .headers([(":status", "200"), ("content-type", "application/grpc"), ("content-length", "\(Int.min)")]),
      .message(ok), .trailers("0")),
    Answer("messages before headers", .internalError, .message(ok), .trailers("0")),
    Answer("a reset with NO_ERROR", .internalError, Frame(.reset, stream: 1, Frame.number(0))),
    Answer("GOAWAY that leaves the call out", .unavailable, Frame(.goAway, Frame.number(0) + Frame.number(0))),
    Answer(
      "GOAWAY during the call", nil, .response(), Frame(.goAway, Frame.number(1) + Frame.number(0)), .message(ok),
      .trailers("0")),
    Answer("a frame that is too large", .unavailable, Frame(.data, stream: 1, [UInt8](repeating: 0, count: 1 << 20))),
  ]

  @Test("every answer ends the call with the status that it deserves", arguments: answers)
  func answer(_ answer: Answer) async throws {
    let server = try RawServer(answer: answer.bytes)
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == answer.code, "\(String(describing: error))")
    channel.shutdown()
    group.stop()
  }

  @Test("calls that wait for their turn end with their connection, rather than begin on it")
  func waitingCallsOfLostConnection() async throws {
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      // SETTINGS_MAX_CONCURRENT_STREAMS of 1: one call at a time.
      peer.send(Frame(.settings, [0, 3] + Frame.number(1)))
      // Closes once the first call is cancelled, with the second one under way.
      _ = peer.receive(.reset)
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let method = TestMethods.download
    let first = try await channel.serverStreaming(method, Request())
    let others = [
      try await channel.serverStreaming(method, Request()), try await channel.serverStreaming(method, Request()),
      try await channel.serverStreaming(method, Request()),
    ]
    first.cancel()
    for call in others {
      let error = await rpcError { for try await _ in call {} }
      #expect(error?.code == .unavailable)
    }
    channel.shutdown()
    group.stop()
  }

  @Test("a call that is refused is made again, but not for ever")
  func refused() async throws {
    let attempts = Counter()
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      while let request = peer.receive(.headers) {
        attempts.increment()
        peer.send(Frame(.reset, stream: request.stream, Frame.number(7)))
      }
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(attempts.value == RetryState.unseenLimit)
    channel.shutdown()
    group.stop()
  }

  @Test("a call that can't be sent when its turn comes ends alone")
  func waitingCalls() async throws {
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      // SETTINGS_MAX_CONCURRENT_STREAMS: one call at a time, until that one says something.
      peer.send(Frame(.settings, [0, 3] + Frame.number(1)))
      guard peer.receive(.data) != nil else { return }
      peer.send(Frame(.settings, [0, 3] + Frame.number(100)))
      while let request = peer.receive(.headers) {
        peer.send(
          .response(stream: request.stream), .message(Self.ok, stream: request.stream),
          .trailers("0", stream: request.stream))
      }
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let first = try await channel.bidirectional(TestMethods.chat)
    let tooLarge = Task {
      let metadata: Metadata = ["x-large": String(repeating: "v", count: 70_000)]
      return await rpcError {
        try await channel.unary(TestMethods.unary, Request(), options: CallOptions(metadata: metadata))
      }
    }
    let second = Task { try await channel.unary(TestMethods.unary, Request()).sku }
    for _ in 0..<100 { await Task.yield() }
    try await first.requests.send(Request())
    #expect(await tooLarge.value?.code == .resourceExhausted)
    #expect(try await second.value == "s")
    channel.shutdown()
    group.stop()
  }

  @Test("a call that waits for its turn ends when its connection takes no more")
  func waitingAtShutdown() async throws {
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings, [0, 3] + Frame.number(1)))
      while peer.receiveFrame() != nil {}
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let first = try await channel.bidirectional(TestMethods.chat)
    let second = try await channel.bidirectional(TestMethods.chat)
    channel.shutdown()
    let error = await rpcError { for try await _ in second.responses {} }
    #expect(error?.code == .unavailable)
    first.responses.cancel()
    group.stop()
  }

  @Test("a server that breaks the protocol gets no further call, whether it closes the connection or not")
  func brokenProtocol() async throws {
    let attempts = Counter()
    let kept = Lock<Int32>(-1)
    let server = try RawServer { peer in
      attempts.increment()
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      guard let request = peer.receive(.headers) else { return }
      if attempts.value == 1 {
        kept.withLock { $0 = dup(peer.descriptor) }
        // PING on a stream.
        return peer.send(Frame(.ping, stream: 1, [UInt8](repeating: 0, count: 8)))
      }
      peer.send(
        .response(stream: request.stream), .message(Self.ok, stream: request.stream),
        .trailers("0", stream: request.stream))
      while peer.receiveFrame() != nil {}
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(try await channel.unary(TestMethods.unary, Request()).sku == "s")
    channel.shutdown()
    group.stop()
    kept.withLock { _ = close($0) }
  }

  @Test("a server that reads slowly keeps the connection, however large the headers that wait for it")
  func largeHeaders() async throws {
    let (opened, isOpen) = (Pipe(), Counter())
    let server = try RawServer { peer in
      isOpen.increment()
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      opened.wait()
      peer.send(Frame(.ping, [UInt8](repeating: 0, count: 8)))
      while let request = peer.receive(.headers) {
        peer.send(
          .response(stream: request.stream), .message(Self.ok, stream: request.stream),
          .trailers("0", stream: request.stream))
      }
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let options = CallOptions(metadata: ["x-large": String(repeating: "v", count: 30_000)])
    var calls: [BidirectionalCall<Request, Response>] = []
    for _ in 0..<90 { calls.append(try await channel.bidirectional(TestMethods.chat, options: options)) }
    opened.signal()
    #expect(try await channel.unary(TestMethods.unary, Request()).sku == "s")
    #expect(isOpen.value == 1)
    for call in calls { call.responses.cancel() }
    channel.shutdown()
    group.stop()
  }

  @Test("what a server says of hundreds of calls that were cancelled at once does no harm to others")
  func cancelledAtOnce() async throws {
    let count = 700
    let connections = Counter()
    let server = try RawServer { peer in
      connections.increment()
      _ = peer.receive(RawPeer.preface.count)
      // SETTINGS_MAX_CONCURRENT_STREAMS
      peer.send(Frame(.settings, [0, 3] + Frame.number(1000)))
      var cancelled: [UInt32] = []
      while cancelled.count < count, let reset = peer.receive(.reset) { cancelled.append(reset.stream) }
      for _ in 0..<4 { for stream in cancelled { peer.send(.message([], stream: stream)) } }
      while let request = peer.receive(.headers) {
        peer.send(
          .response(stream: request.stream), .message(Self.ok, stream: request.stream),
          .trailers("0", stream: request.stream))
      }
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    var calls: [BidirectionalCall<Request, Response>] = []
    for _ in 0..<count { calls.append(try await channel.bidirectional(TestMethods.chat)) }
    for call in calls { call.responses.cancel() }
    #expect(try await channel.unary(TestMethods.unary, Request()).sku == "s")
    #expect(connections.value == 1)
    channel.shutdown()
    group.stop()
  }

  @Test("bytes that are not HTTP/2 end the call")
  func garbage() async throws {
    let server = try RawServer(answer: Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8))
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable, "\(String(describing: error))")
    channel.shutdown()
    group.stop()
  }

  @Test("a sender that waits for room learns that the server has answered and does not want the rest")
  func earlyAnswer() async throws {
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      var received = 0
      // The windows are at their initial 65 535 bytes and never open: now the client has more to send than it may.
      while received < 65_535, let frame = peer.receive(.data) { received += frame.payload.count }
      peer.send(.response(), .message(Self.ok), .trailers("0"))
      while peer.receiveFrame() != nil {}
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let response = try await channel.clientStreaming(TestMethods.upload) { writer in
      for _ in 0..<100 { try await writer.send(Request(sku: String(repeating: "x", count: 10_000))) }
    }
    #expect(response.sku == "s")
    channel.shutdown()
    group.stop()
  }

  @Test(
    "a cancelled task's send does not wait for a server that does not read",
    arguments: [CallType.serverStreaming, .bidirectional])
  func cancelledSend(_ type: CallType) async throws {
    let isFull = Event()
    let server = try RawServer { peer in
      _ = peer.receive(RawPeer.preface.count)
      peer.send(Frame(.settings))
      var received = 0
      while received < 65_535, let frame = peer.receive(.data) { received += frame.payload.count }
      Task { await isFull.set() }
      while peer.receiveFrame() != nil {}
    }
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let large = Request(sku: String(repeating: "x", count: 1_000_000))
    let call = Task {
      await rpcError {
        if type == .serverStreaming {
          _ = try await channel.serverStreaming(TestMethods.download, large)
        } else {
          let call = try await channel.bidirectional(TestMethods.chat)
          try await call.requests.send(large)
        }
      }
    }
    await isFull.wait()
    call.cancel()
    #expect(await call.value?.code == .cancelled)
    channel.shutdown()
    group.stop()
  }

  @Test("a server that accepts and closes is tried again with growing pauses")
  func acceptsAndCloses() async throws {
    let tried = Event()
    let attempts = Counter()
    let server = try RawServer { _ in
      attempts.increment()
      if attempts.value == 6 { Task { await tried.set() } }
    }
    let group = try EventLoopGroup(loops: 1)
    let start = ContinuousClock.now
    let channel = Channel(target: Target(server.address), group: group)
    await tried.wait()
    // After the first two: 80, 128, 205 and 328 ms, a fifth less at the least.
    #expect(ContinuousClock.now - start > .milliseconds(500))
    channel.shutdown()
    group.stop()
  }
}
