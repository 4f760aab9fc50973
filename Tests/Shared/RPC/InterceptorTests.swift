import EventLoop
import Messages
import RPC
import Testing

/// Writes down what it sees, and refuses calls if it is to.
private final class Witness: ServerInterceptor, MethodInterceptor {
  private let name: String
  private let refusal: RPCError?
  private let journal: Journal

  init(_ name: String, _ journal: Journal, refusal: RPCError? = nil) {
    self.name = name
    self.journal = journal
    self.refusal = refusal
  }

  func interceptor(forPath path: String) -> (any MethodInterceptor)? { self }

  func callStarted(_ context: ServerContext) throws(RPCError) {
    journal.append("\(name) started \(context.path)")
    if let refusal { throw refusal }
  }

  func callEnded(_ summary: CallSummary) {
    let counts = summary.messages
    journal.append(
      "\(name) ended \(summary.context.path) \(summary.code) received \(counts.received)/\(counts.receivedBytes) "
        + "sent \(counts.sent)/\(counts.sentBytes)")
  }
}

private final class Journal: Sendable {
  private let lines = Lock<[String]>([])
  var all: [String] { lines.withLock { $0 } }
  func append(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite(.timeLimit(.minutes(1))) struct InterceptorTests {
  enum Kind: String, CaseIterable, Sendable { case synchronous, unary, upload, download, chat }

  private static func server(_ handled: Counter, _ interceptors: [any ServerInterceptor]) throws -> TestServer {
    try TestServer.start(options: ServerOptions(interceptors: interceptors)) { router in
      router.synchronous(TestMethods.idempotent) { request, _ in
        handled.increment()
        return request
      }
      router.unary(TestMethods.unary) { request, _ in
        handled.increment()
        return request
      }
      router.clientStreaming(TestMethods.upload) { requests, _ in
        handled.increment()
        for try await _ in requests {}
        return Response(sku: "abc")
      }
      router.serverStreaming(TestMethods.download) { request, responses, _ in
        handled.increment()
        for _ in 0..<3 { try await responses.send(request) }
      }
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        handled.increment()
        for try await request in requests { try await responses.send(request) }
      }
    }
  }

  /// A call of the kind, with messages of five bytes.
  private static func call(_ kind: Kind, _ channel: Channel) async throws {
    let message = Request(sku: "abc")
    switch kind {
    case .synchronous: _ = try await channel.unary(TestMethods.idempotent, message)
    case .unary: _ = try await channel.unary(TestMethods.unary, message)
    case .upload:
      _ = try await channel.clientStreaming(TestMethods.upload) { writer in
        for _ in 0..<3 { try await writer.send(message) }
      }
    case .download:
      for try await _ in try await channel.serverStreaming(TestMethods.download, message) {}
    case .chat:
      let call = try await channel.bidirectional(TestMethods.chat)
      for _ in 0..<3 { try await call.requests.send(message) }
      await call.requests.finish()
      for try await _ in call.responses {}
    }
  }

  @Test(
    "interceptors see a call begin in their order and end in the reverse one, with its messages",
    arguments: zip(Kind.allCases, [(1, 1), (1, 1), (3, 1), (1, 3), (3, 3)]))
  func order(kind: Kind, messages: (received: Int, sent: Int)) async throws {
    let (journal, handled) = (Journal(), Counter())
    let test = try Self.server(handled, [Witness("a", journal), Witness("b", journal)])
    try await Self.call(kind, test.channel)
    await test.stop()
    let lines = journal.all
    let path = lines.first?.split(separator: " ").last ?? ""
    let end =
      "ended \(path) OK received \(messages.received)/\(messages.received * 5) sent \(messages.sent)/\(messages.sent * 5)"
    #expect(lines == ["a started \(path)", "b started \(path)", "b \(end)", "a \(end)"])
    #expect(handled.value == 1)
  }

  @Test(
    "a refusal ends the call before its handler; who stands behind it never sees the call", arguments: Kind.allCases)
  func refusal(kind: Kind) async throws {
    let (journal, handled) = (Journal(), Counter())
    let refusal = RPCError(.unauthenticated, "no token", metadata: ["x-hint": "bearer"])
    let test = try Self.server(
      handled, [Witness("a", journal), Witness("b", journal, refusal: refusal), Witness("c", journal)])
    let error = await rpcError { try await Self.call(kind, test.channel) }
    #expect(error?.code == .unauthenticated)
    #expect(error?.message == "no token")
    #expect(error?.metadata["x-hint"] == "bearer")
    await test.stop()
    #expect(handled.value == 0)
    let path = journal.all.first?.split(separator: " ").last ?? ""
    #expect(
      journal.all == [
        "a started \(path)", "b started \(path)", "a ended \(path) UNAUTHENTICATED received 0/0 sent 0/0",
      ])
  }

  /// Keeps what it is told of messages.
  private final class Counts: ServerInterceptor, MethodInterceptor {
    private let all = Lock<[MessageCounts]>([])
    var list: [MessageCounts] { all.withLock { $0 } }
    func interceptor(forPath path: String) -> (any MethodInterceptor)? { self }
    func callEnded(_ summary: CallSummary) { all.withLock { $0.append(summary.messages) } }
  }

  @Test("bytes are those on the wire: compressed ones, also where a message is passed on", arguments: [true, false])
  func compressed(isSynchronous: Bool) async throws {
    let (behind, before) = (Counts(), Counts())
    let service = try TestServer.start(options: ServerOptions(interceptors: [behind])) { router in
      router.unary(TestMethods.unary) { request, context in
        context.compressResponses()
        return request
      }
      router.synchronous(TestMethods.idempotent) { request, context in
        context.compressResponses()
        return request
      }
    }
    let front = try TestServer.start(options: ServerOptions(interceptors: [before])) { router in
      for name in ["Unary", "Idempotent"] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: name, type: .unary, idempotency: .unknown), to: service.channel)
      }
    }
    let method = isSynchronous ? TestMethods.idempotent : TestMethods.unary
    let request = Request(sku: String(repeating: "x", count: 100_000))
    _ = try await front.channel.unary(
      method, request, options: CallOptions(compression: Compression(threshold: 1000)))
    await front.stop()
    await service.stop()
    let counts = try #require(behind.list.first)
    #expect(counts.received == 1 && counts.sent == 1)
    #expect((1..<2000).contains(counts.receivedBytes) && (1..<2000).contains(counts.sentBytes))
    #expect(before.list == [counts])
  }

  @Test("calls of unknown methods come under an empty path, whatever the client calls them")
  func unknownMethod() async throws {
    let journal = Journal()
    let test = try TestServer.start(options: ServerOptions(interceptors: [Witness("a", journal)])) { _ in }
    let error = await rpcError { try await test.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unimplemented)
    await test.stop()
    #expect(journal.all == ["a started ", "a ended  UNIMPLEMENTED received 0/0 sent 0/0"])
  }

  @Test("a call whose client goes away ends once, with CANCELLED")
  func cancelled() async throws {
    let (journal, begun) = (Journal(), Event())
    let test = try TestServer.start(options: ServerOptions(interceptors: [Witness("a", journal)])) { router in
      router.unary(TestMethods.unary) { request, _ in
        await begun.set()
        try await Task.sleep(for: .seconds(60))
        return request
      }
    }
    let call = Task { try await test.channel.unary(TestMethods.unary, Request()) }
    await begun.wait()
    call.cancel()
    _ = await call.result
    await test.stop()
    #expect(
      journal.all == ["a started /test.Test/Unary", "a ended /test.Test/Unary CANCELLED received 1/0 sent 0/0"])
  }
}
