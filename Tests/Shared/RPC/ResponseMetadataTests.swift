import RPC
import Testing

@Suite("Metadata of responses") struct ResponseMetadataTests {
  private static func start() throws -> TestServer {
    try TestServer.start { router in
      router.unary(TestMethods.unary) { request, context in
        context.setInitialMetadata(["x-first": "1"])
        context.setTrailingMetadata(["x-last": "2"])
        return request
      }
      router.serverStreaming(TestMethods.download) { request, responses, context in
        context.setInitialMetadata(["x-first": "1"])
        context.setTrailingMetadata(["x-last": "2"])
        try await responses.send(request)
        if request.sku == "fail" { throw RPCError(.aborted, "as asked", metadata: ["x-last": "3"]) }
      }
    }
  }

  @Test("a unary call gives what came before and after its response")
  func unary() async throws {
    let test = try Self.start()
    let reply = try await test.channel.unaryReply(TestMethods.unary, Request(sku: "A"))
    #expect(reply.message.sku == "A")
    #expect(reply.initialMetadata["x-first"] == "1")
    #expect(reply.trailingMetadata["x-last"] == "2")
    await test.stop()
  }

  @Test(
    "a stream has its initial metadata with the first message, its trailing metadata with the end",
    arguments: [("", "2"), ("fail", "3")])
  func stream(sku: String, trailing: String) async throws {
    let test = try Self.start()
    let responses = try await test.channel.serverStreaming(TestMethods.download, Request(sku: sku))
    var iterator = responses.makeAsyncIterator()
    #expect(try await iterator.next()?.sku == sku)
    #expect(await responses.initialMetadata["x-first"] == "1")
    let error = await rpcError { _ = try await iterator.next() }
    #expect(error?.code == (sku == "fail" ? .aborted : nil))
    #expect(await responses.trailingMetadata["x-last"] == trailing)
    await test.stop()
  }
}
