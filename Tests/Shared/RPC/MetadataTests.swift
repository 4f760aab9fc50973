import EventLoop
import Messages
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(1))) struct MetadataTests {
  @Test(
    "the value of a -bin name is base64, padded or not, in one alphabet, joined by commas or not",
    arguments: [
      ("", [[]]), ("AA", [[0]]), ("AA==", [[0]]), ("AAE", [[0, 1]]), ("AAE=", [[0, 1]]), ("AAEC", [[0, 1, 2]]),
      ("+/8", [[0xfb, 0xff]]), ("AA,AQ", [[0], [1]]), ("AA== , AQ==", [[0], [1]]), ("AA,", [[0], []]),
      ("A", nil), ("AAECA", nil), ("A=", nil), ("AA=", nil), ("AA===", nil), ("=", nil), ("-_8", nil), ("A A", nil),
      ("AA,!", nil), ("AAE=AA", nil), ("é", nil),
    ] as [(String, [[UInt8]]?)])
  func binaryValues(text: String, values: [[UInt8]]?) {
    #expect(BinaryValue.decode(text) == values)
    #expect(BinaryValue.isValid(text) == (values != nil))
  }

  @Test("bytes of any kind and length come back from base64 without padding")
  func roundTrip() {
    for count in 0...70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
      let text = BinaryValue.encode(bytes)
      #expect(!text.contains("="))
      #expect(BinaryValue.decode(text) == [bytes])
    }
  }

  @Test("names are found in lower case, values in their order, without blanks at their ends")
  func order() {
    var metadata: Metadata = ["X-A": " one ", "x-b": "\ttwo", "x-a": "three  four", "x-c": "  "]
    metadata.append("X-D-Bin".lowercased(), bytes: [1, 2])
    metadata.append("x-d-bin", "AwQ=,BQ")
    #expect(metadata.map(\.value) == ["one", "two", "three  four", "", "AQI", "AwQ=,BQ"])
    #expect(metadata.values(of: "x-a") == ["one", "three  four"])
    #expect(metadata[binary: "x-d-bin"] == [1, 2])
    #expect(metadata.binaryValues(of: "x-d-bin") == [[1, 2], [3, 4], [5]])
    #expect(metadata[binary: "x-a"] == nil)
    #expect(metadata.binaryValues(of: "x-e-bin") == [])
  }

  @Test(
    "what would not be a field of HTTP/2 is not sent",
    arguments: [("x", "a\nb"), ("x y", "a"), ("x-bin", "a*"), ("grpc-x", "a"), (":path", "/"), ("", "a"), ("x", "é")])
  func notSent(name: String, value: String) {
    #expect(Metadata(dictionaryLiteral: (name, value)).sendable.isEmpty)
  }

  @Test("one byte decides whether a value is sent, wherever it is", arguments: [0, 1, 7, 8, 9, 15, 16, 20])
  func everyByteCounts(position: Int) {
    for (byte, isSent) in [(0x00, false), (0x1f, false), (0x20, true), (0x7e, true), (0x7f, false), (0xc3, false)] {
      var value = [UInt8](repeating: UInt8(ascii: "x"), count: 21)
      value[position] = UInt8(byte)
      if byte == 0xc3 { value.insert(0xa9, at: position + 1) }
      // In the middle: blanks at the ends are cut off before.
      let metadata: Metadata = ["x": "(" + String(decoding: value, as: UTF8.self) + ")"]
      #expect(metadata.sendable.isEmpty != isSent, "byte \(byte) at \(position)")
    }
  }

  @Test("fields of HTTP/2 and of gRPC are not sent as metadata, others that look like them are")
  func reserved() {
    let reserved = [
      "te", "host", "upgrade", "connection", "keep-alive", "user-agent", "content-type", "content-length",
      "proxy-connection", "transfer-encoding", "grpc-timeout", "grpc-encoding",
    ]
    for name in reserved { #expect(Metadata(dictionaryLiteral: (name, "a")).sendable.isEmpty, "\(name)") }
    for name in [
      "t", "tf", "hosts", "traceparent", "x-request-id", "grp-x", "authorization", Metadata.previousAttempts,
    ] {
      #expect(Metadata(dictionaryLiteral: (name, "a")).sendable.count == 1, "\(name)")
    }
  }

  @Test("bytes and text travel both ways, on success and on failure, also through a forwarding server")
  func bothWays() async throws {
    let backend = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, context in
        let bytes = context.metadata.binaryValues(of: "x-data-bin")
        var reply: Metadata = ["x-first": "1", "x-first": "2"]
        reply.append("x-first-bin", bytes: bytes[0])
        context.setInitialMetadata(reply)
        var trailing: Metadata = ["x-last": "3"]
        trailing.append("x-last-bin", bytes: bytes[1])
        context.setTrailingMetadata(trailing)
        if request.sku == "fail" { throw RPCError(.aborted, "as asked", metadata: trailing) }
        // What came, as it came.
        return Response(sku: context.metadata.values(of: "x-data-bin").joined(separator: ";"))
      }
    }
    let front = try TestServer.start { router in
      router.forward(
        ForwardedMethod(service: "test.Test", method: "Unary", type: .unary, idempotency: .unknown),
        to: backend.channel)
    }
    var metadata: Metadata = [:]
    metadata.append("x-data-bin", bytes: [0, 255, 10])
    metadata.append("x-data-bin", "/w==,")
    for channel in [backend.channel, front.channel] {
      let reply = try await channel.unaryReply(
        TestMethods.unary, Request(), options: CallOptions(metadata: metadata))
      #expect(reply.message.sku == "AP8K;/w==,")
      #expect(reply.initialMetadata.values(of: "x-first") == ["1", "2"])
      #expect(reply.initialMetadata[binary: "x-first-bin"] == [0, 255, 10])
      #expect(reply.trailingMetadata["x-last"] == "3")
      #expect(reply.trailingMetadata[binary: "x-last-bin"] == [255])
      let error = await rpcError {
        try await channel.unary(TestMethods.unary, Request(sku: "fail"), options: CallOptions(metadata: metadata))
      }
      #expect(error?.code == .aborted)
      #expect(error?.metadata["x-last"] == "3")
      #expect(error?.metadata[binary: "x-last-bin"] == [255])
    }
    await front.stop()
    await backend.stop()
  }

  @Test("a request with a -bin value that is not base64 ends with INTERNAL")
  func malformedRequest() async throws {
    let test = try TestServer.start { router in router.unary(TestMethods.unary) { request, _ in request } }
    let address = test.address
    let status = try await blocking {
      let peer = RawPeer.connect(to: address)
      defer { peer.close() }
      peer.send(
        .headers(
          [
            (":method", "POST"), (":scheme", "http"), (":path", TestMethods.unary.path), (":authority", "test"),
            ("te", "trailers"), ("content-type", "application/grpc"), ("x-data-bin", "not base64!"),
          ], stream: 1), .message([], end: true))
      return peer.receiveFields(FieldDecoder())
    }
    #expect(status?["grpc-status"] == "13")
    #expect(status?["grpc-message"]?.contains("x-data-bin") == true)
    await test.stop()
  }

  @Test(
    "a response with a -bin value that is not base64 ends with INTERNAL, unless it has failed by itself",
    arguments: ["0", "9"])
  func malformedResponse(code: String) async throws {
    let server = try RawServer(
      answer: Frame.response().bytes + Frame.message([]).bytes
        + Frame.headers([("grpc-status", code), ("x-data-bin", "!")], end: true).bytes)
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == (code == "0" ? .internalError : .failedPrecondition))
    if code == "0" { #expect(error?.message.contains("x-data-bin") == true) }
    channel.shutdown()
    group.stop()
  }
}
