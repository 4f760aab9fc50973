import EventLoop
import Messages
import Stubs
import Testing

@testable import RPC

/// Replicas that say that they don't serve.
@Suite("Health of replicas", .timeLimit(.minutes(1))) struct HealthWatchTests {
  private typealias Answer = Grpc.Health.V1.HealthCheckResponse
  private typealias Status = Answer.ServingStatus
  private static let patient = CallOptions(waitForReady: true)

  /// A server that says what it is told to say, and counts its calls and who watches it.
  private final class Replica: Sendable {
    let calls = Counter()
    let watches = Counter()
    /// Its calls fail while this is odd.
    let breakage = Counter()
    let server: Server
    let address: Address
    private let pipe = Pipe()
    /// Calls that hang until they are let go, and then fail.
    let stuck = Counter()
    private let hanging = Pipe()

    init(
      _ group: EventLoopGroup, isAsked: Bool = true, at address: Address = .tcp(host: "127.0.0.1", port: 0),
      options: ServerOptions = ServerOptions()
    ) throws {
      var router = Router()
      let (calls, watches, pipe, breakage) = (calls, watches, pipe, breakage)
      let (stuck, hanging) = (stuck, hanging)
      router.synchronous(TestMethods.unary) { request, _ in
        calls.increment()
        if breakage.value % 2 == 1 { throw RPCError(.internalError, "broken") }
        return request
      }
      if isAsked {
        router.serverStreaming(Grpc.Health.V1.HealthMethods.watch) { request, responses, _ in
          #expect(request.service == "")
          watches.increment()
          for await status in pipe.open() { try await responses.send(Answer(status: status)) }
        }
      }
      router.unary(TestMethods.idempotent) { _, _ in
        let end = hanging.open()
        stuck.increment()
        for await _ in end {}
        throw RPCError(.internalError, "broken")
      }
      router.serverStreaming(TestMethods.download) { _, _, _ in
        for await _ in pipe.open() {}
      }
      server = Server(group: group, router: router, options: options)
      self.address = try server.listen(on: address)
    }

    func say(_ status: Status) { pipe.say(status) }
    func endWatches() { pipe.end() }
    func letGo() { hanging.end() }
  }

  /// What a replica says to whoever watches it.
  private final class Pipe: Sendable {
    private let state = Lock((status: Status.serving, watching: [AsyncStream<Status>.Continuation]()))

    func open() -> AsyncStream<Status> {
      let (stream, continuation) = AsyncStream.makeStream(of: Status.self)
      state.withLock {
        continuation.yield($0.status)
        $0.watching.append(continuation)
      }
      return stream
    }

    func say(_ status: Status) {
      state.withLock {
        $0.status = status
        for watching in $0.watching { watching.yield(status) }
      }
    }

    func end() {
      state.withLock {
        for watching in $0.watching { watching.finish() }
        $0.watching = []
      }
    }
  }

  private static func withReplicas(
    _ count: Int, isAsked: Bool = true, _ change: (inout ChannelOptions) -> Void = { _ in },
    _ body: (Channel, [Replica]) async throws -> Void
  ) async throws {
    let group = try EventLoopGroup(loops: 1)
    let replicas = try (0..<count).map { _ in try Replica(group, isAsked: isAsked) }
    let own = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.watchesHealth = true
    change(&options)
    let channel = Channel(target: .list(replicas.map(\.address)), group: own, options: options)
    try await body(channel, replicas)
    channel.shutdown()
    for replica in replicas {
      replica.endWatches()
      #expect(await replica.server.shutdown(grace: .seconds(30)), "no watch is left")
    }
    own.stop()
    group.stop()
  }

  /// How often each is called in `count` calls.
  private static func calls(_ count: Int, _ channel: Channel, _ replicas: [Replica]) async throws -> [Int] {
    let before = replicas.map(\.calls.value)
    for _ in 0..<count { _ = try await channel.unary(TestMethods.unary, Request(), options: patient) }
    return zip(replicas, before).map { $0.calls.value - $1 }
  }

  /// Calls until the replicas are called so often in as many calls as that makes.
  private static func untilCalls(_ wanted: [Int], _ channel: Channel, _ replicas: [Replica]) async throws {
    while try await calls(wanted.reduce(0, +), channel, replicas) != wanted {}
  }

  @Test("one that says that it doesn't serve gets no calls until it says that it does; the others share them evenly")
  func spared() async throws {
    try await Self.withReplicas(3) { channel, replicas in
      try await Self.untilCalls([10, 10, 10], channel, replicas)
      replicas[1].say(.notServing)
      try await Self.untilCalls([10, 0, 10], channel, replicas)
      #expect(try await Self.calls(60, channel, replicas) == [30, 0, 30])
      replicas[1].say(.serving)
      try await Self.untilCalls([10, 10, 10], channel, replicas)
      #expect(replicas.map(\.watches.value) == [1, 1, 1])
    }
  }

  @Test("one that serves again by its own word is not left alone for what its calls came to before")
  func forgiven() async throws {
    try await Self.withReplicas(2) {
      $0.outliers.baseEjection = .seconds(3_600)
    } _: { channel, replicas in
      try await Self.untilCalls([10, 10], channel, replicas)
      replicas[0].breakage.increment()
      var failures = 0
      while failures < 5 {
        if await rpcError({ try await channel.unary(TestMethods.unary, Request()) }) != nil { failures += 1 }
      }
      #expect(try await Self.calls(20, channel, replicas) == [0, 20])
      replicas[0].say(.notServing)
      replicas[0].breakage.increment()
      replicas[0].say(.serving)
      try await Self.untilCalls([10, 10], channel, replicas)
    }
  }

  @Test("nor for what calls come to that were under way when it said so")
  func forgivenLate() async throws {
    try await Self.withReplicas(2) {
      $0.outliers.baseEjection = .seconds(3_600)
    } _: { channel, replicas in
      try await Self.untilCalls([10, 10], channel, replicas)
      let failed = Counter()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<12 {
          group.addTask {
            let error = await rpcError { try await channel.unary(TestMethods.idempotent, Request()) }
            #expect(error?.code == .internalError)
            failed.increment()
          }
        }
        while replicas.contains(where: { $0.stuck.value < 6 }) { await Task.yield() }
        replicas[0].say(.notServing)
        try await Self.untilCalls([0, 10], channel, replicas)
        replicas[0].say(.serving)
        try await Self.untilCalls([10, 10], channel, replicas)
        replicas[0].letGo()
        while failed.value < 6 { await Task.yield() }
        #expect(try await Self.calls(20, channel, replicas) == [10, 10])
        replicas[1].letGo()
        try await group.waitForAll()
      }
    }
  }

  @Test("when none says that it serves, they get calls all the same")
  func nobodyServes() async throws {
    try await Self.withReplicas(2) { channel, replicas in
      replicas[0].say(.notServing)
      try await Self.untilCalls([0, 10], channel, replicas)
      replicas[1].say(.unknown)
      try await Self.untilCalls([10, 10], channel, replicas)
    }
  }

  @Test("one that knows nothing of health serves")
  func unknownService() async throws {
    try await Self.withReplicas(2, isAsked: false) { channel, replicas in
      try await Self.untilCalls([10, 10], channel, replicas)
    }
  }

  @Test("a watch that ends before its connection is begun anew, and what was said last holds until then")
  func begunAnew() async throws {
    try await Self.withReplicas(2) { channel, replicas in
      replicas[0].say(.notServing)
      try await Self.untilCalls([0, 10], channel, replicas)
      replicas[0].endWatches()
      #expect(try await Self.calls(20, channel, replicas) == [0, 20])
      while replicas[0].watches.value < 2 {
        #expect(try await Self.calls(2, channel, replicas) == [0, 2])
      }
      replicas[0].say(.serving)
      try await Self.untilCalls([10, 10], channel, replicas)
    }
  }

  @Test("one that is alone is asked as soon as it isn't any more")
  func alone() async throws {
    let group = try EventLoopGroup(loops: 1)
    let directory = temporaryDirectory()
    let first = try Replica(group, at: .unix(path: "\(directory)/1.sock"))
    first.say(.notServing)
    let own = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.watchesHealth = true
    let channel = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: own, options: options)
    #expect(try await Self.calls(20, channel, [first]) == [20])
    #expect(first.watches.value == 0)
    let second = try Replica(group, at: .unix(path: "\(directory)/2.sock"))
    try await Self.untilCalls([0, 10], channel, [first, second])
    channel.shutdown()
    for replica in [first, second] { #expect(await replica.server.shutdown(grace: .seconds(30))) }
    own.stop()
    group.stop()
  }

  @Test("one whose connection has no room for the watch is asked as soon as there is some")
  func fullRow() async throws {
    let group = try EventLoopGroup(loops: 1)
    let directory = temporaryDirectory()
    var narrow = ServerOptions()
    narrow.concurrentStreamLimit = 1
    let first = try Replica(group, at: .unix(path: "\(directory)/1.sock"), options: narrow)
    let own = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.watchesHealth = true
    let channel = Channel(target: try Target(parsing: "unix-dir:\(directory)"), group: own, options: options)
    let refused = Counter()
    // One call is under way, which ends when it is cancelled, and 10 000 wait for it; more find no room.
    let calls = (0..<10_010).map { _ in
      Task {
        let error = await rpcError {
          for try await _ in try await channel.serverStreaming(TestMethods.download, Request(), options: Self.patient) {
          }
        }
        if error?.code == .resourceExhausted { refused.increment() }
      }
    }
    while refused.value == 0 { await Task.yield() }
    let second = try Replica(group, at: .unix(path: "\(directory)/2.sock"))
    while second.watches.value == 0 { await Task.yield() }
    #expect(first.watches.value == 0)
    for call in calls { call.cancel() }
    for call in calls { await call.value }
    while first.watches.value == 0 { await Task.yield() }
    channel.shutdown()
    for replica in [first, second] { #expect(await replica.server.shutdown(grace: .seconds(30))) }
    own.stop()
    group.stop()
  }

  @Test("a channel that is shut down watches nobody, and who stops waits for no watch")
  func shutDown() async throws {
    let group = try EventLoopGroup(loops: 1)
    let replicas = [try Replica(group), try Replica(group)]
    let own = try EventLoopGroup(loops: 1)
    var options = ChannelOptions()
    options.watchesHealth = true
    let channel = Channel(target: .list(replicas.map(\.address)), group: own, options: options)
    while replicas.contains(where: { $0.watches.value == 0 }) { await Task.yield() }
    channel.shutdown()
    // The replicas say nothing more, and their handlers are only ended by the client.
    for replica in replicas { #expect(await replica.server.shutdown(grace: .seconds(30))) }
    own.stop()
    group.stop()
  }
}
