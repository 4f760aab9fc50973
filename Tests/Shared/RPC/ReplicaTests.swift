import EventLoop
import Glibc
import Messages
import RPC
import Testing

/// Servers with sockets in one directory, and a channel to all of them.
@Suite(.timeLimit(.minutes(1))) struct ReplicaTests {
  private struct Replicas {
    let directory = temporaryDirectory()
    let group: EventLoopGroup
    let channel: Channel

    init() throws {
      group = try EventLoopGroup(loops: 1)
      channel = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: group)
    }

    func start(_ name: String, _ build: (inout Router) -> Void) throws -> (Server, EventLoopGroup) {
      let group = try EventLoopGroup(loops: 1)
      var router = Router()
      build(&router)
      let server = Server(group: group, router: router)
      try server.listen(on: .unix(path: "\(directory)/\(name).sock"))
      return (server, group)
    }

    func startNaming(_ name: String) throws -> (Server, EventLoopGroup) {
      try start(name) { router in
        router.unary(TestMethods.idempotent) { _, _ in Response(sku: name) }
        router.unary(TestMethods.unary) { _, _ in Response(sku: name) }
      }
    }
  }

  @Test("calls go to all replicas in turn, also to one that starts later")
  func roundRobin() async throws {
    let replicas = try Replicas()
    var servers = [try replicas.startNaming("1"), try replicas.startNaming("2")]
    var counts: [String: Int] = [:]
    while counts.count < 2 {  // until both are connected
      counts[
        try await replicas.channel.unary(TestMethods.unary, Request(), options: CallOptions(waitForReady: true)).sku] =
        1
    }
    counts = [:]
    for _ in 0..<100 { counts[try await replicas.channel.unary(TestMethods.unary, Request()).sku, default: 0] += 1 }
    #expect(counts == ["1": 50, "2": 50])
    servers.append(try replicas.startNaming("3"))
    while try await replicas.channel.unary(TestMethods.unary, Request()).sku != "3" {}
    counts = [:]
    for _ in 0..<99 { counts[try await replicas.channel.unary(TestMethods.unary, Request()).sku, default: 0] += 1 }
    #expect(counts == ["1": 33, "2": 33, "3": 33])
    #expect(replicas.channel.addresses.count == 3)
    for (server, _) in servers { await server.shutdown(grace: .seconds(1)) }
  }

  @Test("no idempotent call fails when a replica is cut off under load")
  func lossOfAReplica() async throws {
    let replicas = try Replicas()
    let servers = try (1...3).map { try replicas.startNaming("\($0)") }
    let answered = Counter()
    let failures = try await withThrowingTaskGroup(of: [RPCError].self) { tasks in
      for _ in 0..<16 {
        tasks.addTask {
          var failures: [RPCError] = []
          for _ in 0..<500 {
            let error = await rpcError {
              try await replicas.channel.unary(
                TestMethods.idempotent, Request(), options: CallOptions(waitForReady: true))
            }
            if let error { failures.append(error) }
            answered.increment()
          }
          return failures
        }
      }
      tasks.addTask {
        while answered.value < 2_000 { await replicas.group.loops[0].sleep(for: .milliseconds(1)) }
        await servers[0].0.shutdown(grace: .zero)
        return []
      }
      return try await tasks.reduce(into: []) { $0 += $1 }
    }
    #expect(failures.isEmpty, "\(failures.first.map(String.init(describing:)) ?? "")")
    for (server, _) in servers { await server.shutdown(grace: .seconds(1)) }
  }

  @Test("a call whose method is not idempotent is made once", arguments: [TestMethods.unary, TestMethods.idempotent])
  func onlyIdempotentCallsMove(method: MethodDescriptor<Request, Response>) async throws {
    let replicas = try Replicas()
    let calls = Counter()
    let server = try replicas.start("1") { router in
      router.unary(method) { _, _ in
        calls.increment()
        throw RPCError(.unavailable, "not now")
      }
    }
    let error = await rpcError {
      try await replicas.channel.unary(method, Request(), options: CallOptions(waitForReady: true))
    }
    #expect(error?.code == .unavailable)
    #expect(calls.value == (method.idempotency.allowsRetry ? 5 : 1))
    await server.0.shutdown(grace: .seconds(1))
  }

  @Test("without a server a call fails at once and says what to do; with waitForReady it waits for one")
  func noServer() async throws {
    let replicas = try Replicas()
    let error = await rpcError { try await replicas.channel.unary(TestMethods.unary, Request()) }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains(replicas.directory) == true)
    let patient = Task {
      try await replicas.channel.unary(TestMethods.unary, Request(), options: CallOptions(waitForReady: true)).sku
    }
    let impatient = await rpcError {
      try await replicas.channel.unary(
        TestMethods.unary, Request(), options: CallOptions(timeout: .milliseconds(50), waitForReady: true))
    }
    #expect(impatient?.code == .deadlineExceeded)
    let server = try replicas.startNaming("1")
    #expect(try await patient.value == "1")
    await server.0.shutdown(grace: .seconds(1))
  }

  @Test("calls that wait for a connection are limited; one too many fails at once")
  func waitingCallsAreLimited() async throws {
    let replicas = try Replicas()
    let patient = CallOptions(waitForReady: true)
    await withTaskGroup(of: RPCError?.self) { tasks in
      for _ in 0...10_000 {
        tasks.addTask {
          await rpcError { try await replicas.channel.unary(TestMethods.unary, Request(), options: patient) }
        }
      }
      // All others wait, so the first to end is the one too many.
      let first = await tasks.next() ?? nil
      #expect(first?.code == .resourceExhausted)
      #expect(first?.message.contains("10000 calls wait") == true)
      tasks.cancelAll()
      let rest = await tasks.reduce(into: [StatusCode: Int]()) { counts, error in
        counts[error?.code ?? .ok, default: 0] += 1
      }
      #expect(rest == [.cancelled: 10_000])
    }
    replicas.channel.shutdown()
  }

  @Test("a restarted server is found again")
  func restart() async throws {
    let replicas = try Replicas()
    for round in 1...3 {
      let server = try replicas.startNaming("same")
      for _ in 0..<20 {
        let options = CallOptions(waitForReady: true)
        #expect(
          try await replicas.channel.unary(TestMethods.idempotent, Request(), options: options).sku == "same",
          "round \(round)")
      }
      await server.0.shutdown(grace: .seconds(1))
    }
  }

  @Test(
    "who calls through a gateway does not learn where the service is",
    arguments: [TestMethods.unary, TestMethods.upload])
  func forwardingHidesAddresses(method: MethodDescriptor<Request, Response>) async throws {
    let directory = temporaryDirectory()
    let group = try EventLoopGroup(loops: 1)
    let upstream = Channel(target: try Target(parsing: "unix:\(directory)/gone.sock"), group: group)
    let gateway = try TestServer.start { router in
      router.forward(
        ForwardedMethod(service: method.service, method: method.method, type: method.type, idempotency: .idempotent),
        to: upstream)
    }
    let error = await rpcError {
      switch method.type {
      case .unary: try await gateway.channel.unary(method, Request())
      default: try await gateway.channel.clientStreaming(method) { try await $0.send(Request()) }
      }
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message == "test.Test can't be reached now: try again later")
    await gateway.stop()
    upstream.shutdown()
    group.stop()
  }

  @Test("a forwarded call keeps messages, metadata, deadline and status, of all kinds")
  func forwarding() async throws {
    let upstream = try TestServer.start { router in
      router.unary(TestMethods.unary) { request, context in
        guard request.sku != "fail" else { throw RPCError(.failedPrecondition, "nö", metadata: ["x-why": "because"]) }
        return Response(
          aggregateId: context.metadata["x-trace"] ?? "", sku: context.deadline == nil ? "no deadline" : "deadline")
      }
      router.bidirectional(TestMethods.chat) { requests, responses, _ in
        for try await request in requests { try await responses.send(Response(sku: request.sku + "!")) }
        throw RPCError(.outOfRange, "end")
      }
      router.clientStreaming(TestMethods.upload) { requests, _ in
        var count = 0
        for try await _ in requests { count += 1 }
        return Response(sku: String(count))
      }
    }
    let gateway = try TestServer.start { router in
      for (method, type) in [("Unary", CallType.unary), ("Chat", .bidirectional), ("Upload", .clientStreaming)] {
        router.forward(
          ForwardedMethod(service: "test.Test", method: method, type: type, idempotency: .unknown), to: upstream.channel
        )
      }
    }
    let options = CallOptions(timeout: .seconds(20), metadata: ["x-trace": "abc"])
    let response = try await gateway.channel.unary(TestMethods.unary, Request(), options: options)
    #expect(response == Response(aggregateId: "abc", sku: "deadline"))
    let error = await rpcError { try await gateway.channel.unary(TestMethods.unary, Request(sku: "fail")) }
    #expect(error?.code == .failedPrecondition)
    #expect(error?.message == "nö")
    #expect(error?.metadata["x-why"] == "because")
    let chat = try await gateway.channel.bidirectional(TestMethods.chat)
    var answers = chat.responses.makeAsyncIterator()
    for index in 0..<100 {
      try await chat.requests.send(Request(sku: String(index)))
      #expect(try await answers.next()?.sku == "\(index)!")
    }
    await chat.requests.finish()
    #expect(await rpcError { try await answers.next() }?.code == .outOfRange)
    let uploaded = try await gateway.channel.clientStreaming(TestMethods.upload) { writer in
      for _ in 0..<2000 { try await writer.send(Request(sku: String(repeating: "x", count: 2000))) }
    }
    #expect(uploaded.sku == "2000")
    await gateway.stop()
    await upstream.stop()
  }
}
