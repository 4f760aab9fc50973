import EventLoop
import RPC
import Testing

/// A front that forwards to a service: what the gateway is.
@Suite(.timeLimit(.minutes(1))) struct TracePropagationTests {
  private static let sent: Metadata = [
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "rojo=1",
  ]

  private final class Traces: Sendable {
    private let all = Lock<[TraceContext]>([])
    var list: [TraceContext] { all.withLock { $0 } }
    func append(_ trace: TraceContext) { all.withLock { $0.append(trace) } }
  }

  @Test("a forwarded call goes on in its trace, a span for each hop", arguments: [true, false])
  func forwarded(isUnary: Bool) async throws {
    let traces = Traces()
    let service = try TestServer.start { router in
      router.unary(TestMethods.unary) { _, context in
        traces.append(context.trace)
        return Response(sku: context.metadata.map(\.name).joined(separator: ","))
      }
      router.serverStreaming(TestMethods.download) { _, responses, context in
        traces.append(context.trace)
        try await responses.send(Response(sku: context.metadata.map(\.name).joined(separator: ",")))
      }
    }
    let front = try TestServer.start(options: ServerOptions(interceptors: [Spy(traces)])) { router in
      for (name, type) in [("Unary", CallType.unary), ("Download", .serverStreaming)] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: name, type: type, idempotency: .unknown), to: service.channel)
      }
    }
    var names = ""
    var options = CallOptions(metadata: Self.sent)
    options.metadata.append("x-other", "1")
    if isUnary {
      names = try await front.channel.unary(TestMethods.unary, Request(), options: options).sku
    } else {
      for try await response in try await front.channel.serverStreaming(
        TestMethods.download, Request(), options: options)
      { names += response.sku }
    }
    // Of the hop, not of the call: handlers find it in `trace`.
    #expect(names == "x-other")
    await front.stop()
    await service.stop()
    let list = traces.list
    try #require(list.count == 2)
    #expect(list.allSatisfy { $0.traceID.description == "0af7651916cd43dd8448eb211c80319c" })
    #expect(list.allSatisfy { $0.isSampled && $0.state == "rojo=1" })
    #expect(list[0].parentSpanID == 0xb7ad_6b71_6920_3331)
    #expect(list[1].parentSpanID == list[0].spanID)
    #expect(list[1].spanID != list[0].spanID)
  }

  @Test("a call made by a handler is a part of the handler's call: its trace, and what is left of its deadline")
  func callOptions() async throws {
    let traces = Traces()
    let service = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, context in
        traces.append(context.trace)
        #expect(context.remainingTime.map { $0 > .seconds(1) && $0 <= .seconds(40) } == true)
        return request
      }
    }
    let front = try TestServer.start { router in
      router.unary(TestMethods.idempotent) { request, context in
        traces.append(context.trace)
        return try await service.channel.unary(TestMethods.unary, request, options: context.callOptions)
      }
    }
    _ = try await front.channel.unary(TestMethods.idempotent, Request(), options: CallOptions(timeout: .seconds(40)))
    await front.stop()
    await service.stop()
    let list = traces.list
    try #require(list.count == 2)
    #expect(list[0].parentSpanID == 0)
    #expect(list[1].traceID == list[0].traceID)
    #expect(list[1].parentSpanID == list[0].spanID)
  }

  /// Sees the trace where a forwarded call has no handler.
  private struct Spy: ServerInterceptor, MethodInterceptor {
    let traces: Traces
    init(_ traces: Traces) { self.traces = traces }
    func interceptor(forPath path: String) -> (any MethodInterceptor)? { self }
    func callStarted(_ context: ServerContext) throws(RPCError) { traces.append(context.trace) }
  }
}
