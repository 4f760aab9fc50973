import EventLoop
import Messages
import Testing

@testable import RPC

@Suite(.timeLimit(.minutes(1))) struct ErrorDetailTests {
  static let details: [ErrorDetail] = [
    .errorInfo(reason: "STORE_BUSY", domain: "inventory.omsconnector", metadata: ["store": "sqlite", "é": "ü"]),
    .badRequest([
      .init(field: "stock[3].sku", description: "is empty", reason: "REQUIRED"), .init(field: "b", description: "c"),
    ]),
    .retryInfo(.milliseconds(1_250)),
    .other(.init(typeUrl: "type.googleapis.com/test.Unknown", value: [1, 2, 3])),
  ]

  @Test("details travel with the status of every kind of call, also through a forwarding server")
  func travel() async throws {
    let backend = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, _ in throw RPCError(.unavailable, "later", details: Self.details) }
      router.bidirectional(TestMethods.chat) { _, responses, _ in
        try await responses.send(Response(sku: "one"))
        throw RPCError(.unavailable, "later", details: Self.details)
      }
    }
    let front = try TestServer.start { router in
      for (method, type) in [("Unary", CallType.unary), ("Chat", .bidirectional)] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: method, type: type, idempotency: .unknown), to: backend.channel)
      }
    }
    for channel in [backend.channel, front.channel] {
      let unary = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
      #expect(unary?.details == Self.details)
      #expect(unary?.retryDelay == .milliseconds(1_250))
      #expect(unary?.fieldViolations.map(\.field) == ["stock[3].sku", "b"])
      #expect(unary?.metadata.values(of: StatusDetails.name).count == 1)
      let chat = try await channel.bidirectional(TestMethods.chat)
      let streamed = await rpcError {
        for try await _ in chat.responses {}
        return 0
      }
      #expect(streamed?.details == Self.details)
    }
    await front.stop()
    await backend.stop()
  }

  @Test("the status in the details is the status of the call")
  func statusInside() throws {
    let error = RPCError(.notFound, "nö", details: [.retryInfo(.seconds(1))])
    let text = String(decoding: try #require(StatusDetails.encode(error)), as: UTF8.self)
    let status = try Google.Rpc.Status(serialized: #require(BinaryValue.decode(text)?.first))
    #expect(status.code == 5)
    #expect(status.message == "nö")
    #expect(status.details.map(\.typeUrl) == ["type.googleapis.com/google.rpc.RetryInfo"])
  }

  @Test("details for which trailers have no room are left out")
  func limit() throws {
    let long = ErrorDetail.badRequest([.init(field: "a", description: String(repeating: "x", count: 4000))])
    #expect(StatusDetails.encode(RPCError(.internalError, "", details: [long])) == nil)
    let message = String(repeating: "é", count: 2000)
    let encoded = try #require(
      StatusDetails.encode(RPCError(.internalError, message, details: [.retryInfo(.seconds(1)), long])))
    #expect(encoded.count <= StatusDetails.limit / 3 * 4 + 4)
    let metadata: Metadata = [StatusDetails.name: String(decoding: encoded, as: UTF8.self)]
    #expect(StatusDetails.decode(metadata, code: .internalError) == [.retryInfo(.seconds(1))])
  }

  @Test(
    "details that don't decode, or belong to another status, are none; the status stays",
    arguments: [
      "!", "////", "", BinaryValue.encode(Google.Rpc.Status(code: 3, details: [.init(typeUrl: "a")]).serialized()),
    ])
  func hostile(value: String) async throws {
    let server = try RawServer(
      answer: Frame.headers(
        [
          (":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5"), ("grpc-message", "none"),
          (StatusDetails.name, value),
        ], end: true
      ).bytes)
    let group = try EventLoopGroup(loops: 1)
    let channel = Channel(target: Target(server.address), group: group)
    let error = await rpcError { try await channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .notFound)
    #expect(error?.message == "none")
    #expect(error?.details == [])
    channel.shutdown()
    group.stop()
  }

  @Test("a RetryInfo that is no time that there can be is passed on as it is", arguments: [Int64.max, .min])
  func endlessRetryInfo(seconds: Int64) {
    let info = Google.Rpc.RetryInfo(retryDelay: .init(seconds: seconds, nanos: seconds > 0 ? .max : .min))
    let message = Google.Protobuf.AnyMessage(
      typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: info.serialized())
    let error = RPCError(.unavailable, "busy", details: [ErrorDetail(message)])
    #expect(Pushback(error) == .none)
    #expect(error.details == [.other(message)])
  }

  @Test("a detail of a known type that does not decode is passed on as it is")
  func undecodable() {
    let message = Google.Protobuf.AnyMessage(typeUrl: "type.googleapis.com/google.rpc.BadRequest", value: [0xff])
    #expect(ErrorDetail(message) == .other(message))
    #expect(ErrorDetail(message).packed == message)
  }
}
