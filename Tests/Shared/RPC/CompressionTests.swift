import EventLoop
import Messages
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(1))) struct CompressionTests {
  private static let long = String(repeating: "stock ", count: 20_000)

  private static func build(_ router: inout Router) {
    router.unary(TestMethods.unary) { request, context in
      if request.aggregateId == "compress" { context.compressResponses() }
      return Response(aggregateId: "\(context.compressedRequestCount)", sku: request.sku)
    }
    router.synchronous(TestMethods.idempotent) { request, context in
      Response(aggregateId: "\(context.compressedRequestCount)", sku: request.sku)
    }
    router.clientStreaming(TestMethods.upload) { requests, context in
      var counts: [String] = []
      for try await _ in requests { counts.append("\(context.compressedRequestCount)") }
      return Response(sku: counts.joined(separator: ","))
    }
    router.serverStreaming(TestMethods.download) { request, responses, context in
      context.compressResponses()
      try await responses.send(Response(sku: request.sku), compressed: true)
      try await responses.send(Response(sku: request.sku), compressed: false)
      try await responses.send(Response(sku: request.sku))
      context.compressResponses(false)
      try await responses.send(Response(sku: request.sku))
    }
    router.bidirectional(TestMethods.chat) { requests, responses, context in
      context.compressResponses()
      for try await request in requests { try await responses.send(Response(sku: request.sku)) }
    }
  }

  /// A server, and one in front of it that passes its calls on.
  private static func start(options: ServerOptions = ServerOptions()) throws -> (TestServer, TestServer) {
    let backend = try TestServer.start(options: options) { build(&$0) }
    let front = try TestServer.start { router in
      for (method, type) in [
        ("Unary", CallType.unary), ("Idempotent", .unary), ("Upload", .clientStreaming), ("Download", .serverStreaming),
        ("Chat", .bidirectional),
      ] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: method, type: type, idempotency: .unknown), to: backend.channel)
      }
    }
    return (backend, front)
  }

  @Test("requests are compressed from the threshold on, on their way through a forwarding server, too")
  func requests() async throws {
    let (backend, front) = try Self.start()
    let options = CallOptions(compression: Compression(threshold: 1000))
    for channel in [backend.channel, front.channel] {
      for method in [TestMethods.unary, TestMethods.idempotent] {
        let long = try await channel.unary(method, Request(sku: Self.long), options: options)
        #expect(long == Response(aggregateId: "1", sku: Self.long))
        let compressed = try await channel.unaryReply(
          TestMethods.unary, Request(aggregateId: "compress", sku: Self.long))
        #expect(compressed.message.sku == Self.long)
        #expect(compressed.wasCompressed)
        #expect(!(try await channel.unaryReply(method, Request(sku: Self.long)).wasCompressed))
        let short = try await channel.unary(method, Request(sku: "short"), options: options)
        #expect(short == Response(aggregateId: "0", sku: "short"))
        #expect(try await channel.unary(method, Request(sku: Self.long)).aggregateId == "0")
      }
      let uploaded = try await channel.clientStreaming(TestMethods.upload, options: options) { writer in
        try await writer.send(Request(sku: Self.long))
        try await writer.send(Request(sku: "short"))
        try await writer.send(Request(sku: Self.long), compressed: false)
        try await writer.send(
          Request(sku: "short, but compressed \(String(repeating: "x", count: 90))"), compressed: true)
      }
      #expect(uploaded.sku == "1,1,1,2")
    }
    await front.stop()
    await backend.stop()
  }

  @Test("a stream's responses are compressed one by one, as the handler says")
  func responses() async throws {
    let (backend, front) = try Self.start()
    for channel in [backend.channel, front.channel] {
      let download = try await channel.serverStreaming(TestMethods.download, Request(sku: Self.long))
      var counts: [Int] = []
      for try await response in download {
        #expect(response.sku == Self.long)
        counts.append(await download.compressedCount)
      }
      #expect(counts == [1, 1, 2, 2])
      let chat = try await channel.bidirectional(TestMethods.chat, options: CallOptions(compression: Compression()))
      var answers = chat.responses.makeAsyncIterator()
      for index in 1...10 {
        try await chat.requests.send(Request(sku: "\(index)" + Self.long))
        #expect(try await answers.next()?.sku == "\(index)" + Self.long)
        #expect(await chat.responses.compressedCount == index)
      }
      await chat.requests.finish()
      #expect(try await answers.next() == nil)
    }
    await front.stop()
    await backend.stop()
  }

  /// What a raw client gets for one call of `Unary`: headers, the flags of the messages, trailers.
  private func call(
    _ address: Address, fields: [(String, String)], message: Frame
  ) async throws -> (headers: [String: String], flags: [UInt8], trailers: [String: String]) {
    try await blocking {
      let peer = RawPeer.connect(to: address)
      defer { peer.close() }
      let decoder = FieldDecoder()
      peer.send(
        .headers(
          [
            (":method", "POST"), (":scheme", "http"), (":path", TestMethods.unary.path), (":authority", "test"),
            ("te", "trailers"), ("content-type", "application/grpc"),
          ] + fields, stream: 1), message)
      var headers: [String: String]?
      var flags: [UInt8] = []
      while let frame = peer.receiveFrame() {
        if frame.kind == Frame.Kind.data.rawValue, let flag = frame.payload.first { flags.append(flag) }
        guard frame.kind == Frame.Kind.headers.rawValue, let fields = decoder.decode(frame.payload) else { continue }
        let byName = Dictionary(fields.map { ($0.name, $0.value) }) { $1 }
        if frame.flags & Frame.endStream != 0 { return (headers ?? byName, flags, byName) }
        headers = byName
      }
      return (headers ?? [:], flags, [:])
    }
  }

  @Test("nothing is compressed for a client that does not ask for it, and a server's own option is off")
  func negotiation() async throws {
    var options = ServerOptions()
    let text = Request(sku: String(repeating: "x", count: 5000)).serialized()
    for (isOn, accepts, expected) in [
      (false, "gzip", 0), (true, "identity", 0), (true, "identity, gzip", 1), (true, "", 0),
    ] as [(Bool, String, UInt8)] {
      options.compression = isOn ? Compression() : nil
      let test = try TestServer.start(options: options) { Self.build(&$0) }
      let answer = try await call(
        test.address, fields: accepts.isEmpty ? [] : [("grpc-accept-encoding", accepts)],
        message: .message(text, end: true))
      #expect(answer.flags == [expected])
      #expect(answer.headers["grpc-encoding"] == (expected == 1 ? "gzip" : nil))
      #expect(answer.trailers["grpc-status"] == "0")
      await test.stop()
    }
  }

  @Test(
    "what can't be read ends the call with the status that gRPC names",
    arguments: [
      ("br", 0, "12"), ("br", 1, "12"), ("", 1, "13"), ("identity", 1, "13"), ("gzip", 1, "13"), ("gzip", 2, "13"),
      ("gzip", 0, "0"), ("identity", 0, "0"),
    ] as [(String, UInt8, String)])
  func unreadable(encoding: String, flag: UInt8, status: String) async throws {
    let test = try TestServer.start { Self.build(&$0) }
    var message = Frame.message(Request(sku: "plain").serialized(), end: true)
    message.payload[0] = flag
    let answer = try await call(
      test.address, fields: encoding.isEmpty ? [] : [("grpc-encoding", encoding)], message: message)
    #expect(answer.trailers["grpc-status"] == status)
    #expect(answer.trailers["grpc-accept-encoding"] == (status == "12" ? "identity,gzip" : nil))
    await test.stop()
  }

  @Test("a bomb ends with RESOURCE_EXHAUSTED in every kind of call; the server serves on")
  func bomb() async throws {
    let test = try TestServer.start { Self.build(&$0) }
    let bomb = try #require(Gzip().compress([UInt8](repeating: 0, count: 32 << 20)))
    let message = WireMessage(bytes: bomb, isCompressed: true)
    var options = CallOptions()
    options.passing = .init(encoding: .gzip, acceptsGzip: true)
    for path in [TestMethods.unary.path, TestMethods.idempotent.path] {
      let error = await rpcError {
        try await test.channel.unary(
          path: path, idempotency: .unknown, options: options, WireMessages(request: message)
        ).encoding
      }
      #expect(error?.code == .resourceExhausted)
    }
    for path in [TestMethods.upload.path, TestMethods.chat.path] {
      let stream = try await test.channel.open(path: path, options: options, isUnary: false)
      try await stream.send(message)
      let error = await rpcError { try await stream.nextMessage { $0.count } }
      #expect(error?.code == .resourceExhausted)
    }
    #expect(try await test.channel.unary(TestMethods.unary, Request(sku: "next")).sku == "next")
    await test.stop()
  }

  @Test("open calls may not inflate more than a connection may hold in all")
  func amplification() async throws {
    var options = ServerOptions()
    options.connectionBufferLimit = 3 << 20
    let release = Event()
    let test = try TestServer.start(options: options) { router in
      router.clientStreaming(TestMethods.upload) { requests, _ in
        for try await _ in requests {}
        return Response()
      }
      router.unary(TestMethods.unary) { _, _ in
        await release.wait()
        return Response()
      }
    }
    let text = String(repeating: "x", count: 1 << 20)
    let compressed = CallOptions(compression: Compression())
    // One after the other on one stream: each lets go of the one before it.
    _ = try await test.channel.clientStreaming(TestMethods.upload, options: compressed) { writer in
      for _ in 0..<10 { try await writer.send(Request(sku: text)) }
    }
    let errors = try await withThrowingTaskGroup(of: RPCError?.self) { tasks in
      for _ in 0..<20 {
        tasks.addTask {
          await rpcError { try await test.channel.unary(TestMethods.unary, Request(sku: text), options: compressed) }
        }
      }
      var errors: [RPCError] = []
      for try await error in tasks {
        guard let error else { continue }
        errors.append(error)
        // Two for each of the channel's connections fit.
        if errors.count == 16 { await release.set() }
      }
      return errors
    }
    #expect(errors.count >= 16)
    #expect(errors.allSatisfy { $0.code == .resourceExhausted })
    await test.stop()
  }

  @Test(
    "a client ends a call whose responses it can't read",
    arguments: [("br", 0), ("gzip", 1), ("identity", 1), ("gzip", 9)] as [(String, UInt8)])
  func unreadableResponse(encoding: String, flag: UInt8) async throws {
    var message = Frame.message([1, 2, 3])
    message.payload[0] = flag
    let server = try RawServer(
      answer: Frame.headers([(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", encoding)])
        .bytes
        + message.bytes + Frame.trailers("0").bytes)
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .internalError)
    channel.shutdown()
    group.stop()
  }
}
