import EventLoop
import Messages
import RPC
import Stubs
import Testing

@testable import ServiceKit

@Suite("Health")
struct HealthTests {
  private typealias Methods = Grpc.Health.V1.HealthMethods
  private typealias Status = HealthService.Status

  private func check(_ channel: Channel, _ service: String) async throws -> Status {
    try await channel.unary(Methods.check, .init(service: service)).status
  }

  @Test("the server and its services serve, until it drains")
  func checks() async throws {
    let health = HealthService(services: ["a.B"])
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      #expect(try await check(channel, "") == .serving)
      #expect(try await check(channel, "a.B") == .serving)
      health.set(.notServing, for: "a.B")
      #expect(try await check(channel, "a.B") == .notServing)
      #expect(try await check(channel, "") == .serving)
      health.set(.serving, for: "a.B")
      health.drain()
      #expect(try await check(channel, "") == .notServing)
      #expect(try await check(channel, "a.B") == .notServing)
    }
  }

  @Test("nothing serves while what all of it needs is away; who watches is told, and told when it is there again")
  func cutOff() async throws {
    let health = HealthService(services: ["a.B"])
    let readiness = Readiness()
    readiness.setCutOff(true)
    readiness.tell(health)
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      for name in ["", "a.B"] { #expect(try await check(channel, name) == .notServing) }
      var watch = try await channel.serverStreaming(Methods.watch, .init(service: "")).makeAsyncIterator()
      #expect(try await watch.next()?.status == .notServing)
      readiness.setCutOff(false)
      #expect(try await watch.next()?.status == .serving)
      health.set(.notServing, for: "a.B")
      readiness.setCutOff(true)
      #expect(try await watch.next()?.status == .notServing)
      readiness.setCutOff(false)
      #expect(try await watch.next()?.status == .serving)
      #expect(try await check(channel, "a.B") == .notServing, "that is for another reason")
      health.drain()
    }
  }

  @Test("an unknown service is NOT_FOUND, with the known ones named")
  func unknown() async throws {
    let health = HealthService(services: ["a.B"])
    health.delegate("inventory") { .serving }
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      let error = await #expect(throws: RPCError.self) { try await check(channel, "a.C") }
      #expect(error?.code == .notFound)
      #expect(error?.message == "service \"a.C\" is not known here; known are a.B, inventory")
    }
  }

  @Test("a probe answers for somebody else, each time it is asked")
  func probes() async throws {
    let health = HealthService(services: [])
    health.delegate("inventory") { .serving }
    health.delegate("sales") { .notServing }
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      #expect(try await check(channel, "inventory") == .serving)
      #expect(try await check(channel, "sales") == .notServing)
    }
  }

  @Test("watchers of a name that a probe answers for are told of changes, by one probe for all of them")
  func watchedProbes() async throws {
    let answer = Lock((status: Status.serving, running: 0, most: 0))
    let health = HealthService(services: [], probeInterval: .milliseconds(1))
    health.delegate("sales") {
      answer.withLock {
        $0.running += 1; $0.most = max($0.most, $0.running)
      }
      await Task.yield()
      return answer.withLock {
        $0.running -= 1; return $0.status
      }
    }
    try await withServer({ health.register(in: &$0) }) { (channel, server) async throws -> Void in
      let streams = try await [
        channel.serverStreaming(Methods.watch, .init(service: "sales")),
        channel.serverStreaming(Methods.watch, .init(service: "sales")),
      ]
      var watches = streams.map { $0.makeAsyncIterator() }
      for status in [Status.serving, .notServing, .serving] {
        answer.withLock { $0.status = status }
        for index in watches.indices { #expect(try await watches[index].next()?.status == status) }
      }
      #expect(answer.withLock { $0.most } == 1)
      // One goes, the other is still told.
      streams[0].cancel()
      answer.withLock { $0.status = .notServing }
      #expect(try await watches[1].next()?.status == .notServing)
      health.drain()
      #expect(try await watches[1].next() == nil)
      #expect(await server.shutdown(grace: .seconds(5)))
    }
  }

  @Test("watches are bounded; one more is refused until another ends")
  func watchLimit() async throws {
    let health = HealthService(services: ["a.B"], watchLimit: 5)
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      var streams: [ResponseStream<Grpc.Health.V1.HealthCheckResponse>] = []
      for _ in 0..<5 {
        let stream = try await channel.serverStreaming(Methods.watch, .init(service: "a.B"))
        var answers = stream.makeAsyncIterator()
        #expect(try await answers.next()?.status == .serving)
        streams.append(stream)
      }
      var refused = try await channel.serverStreaming(Methods.watch, .init(service: "a.B")).makeAsyncIterator()
      let error = await #expect(throws: RPCError.self) { _ = try await refused.next() }
      #expect(error?.code == .resourceExhausted)
      health.drain()
    }
  }

  @Test("a watch tells each change, SERVICE_UNKNOWN at first for what is unknown, and ends when the server drains")
  func watches() async throws {
    let health = HealthService(services: ["a.B"])
    try await withServer({ health.register(in: &$0) }) { (channel, server) async throws -> Void in
      var known = try await channel.serverStreaming(Methods.watch, .init(service: "a.B")).makeAsyncIterator()
      #expect(try await known.next()?.status == .serving)
      health.set(.notServing, for: "a.B")
      #expect(try await known.next()?.status == .notServing)

      var unknown = try await channel.serverStreaming(Methods.watch, .init(service: "new")).makeAsyncIterator()
      #expect(try await unknown.next()?.status == .serviceUnknown)
      health.set(.serving, for: "new")
      #expect(try await unknown.next()?.status == .serving)

      health.drain()
      #expect(try await unknown.next()?.status == .notServing)
      #expect(try await unknown.next() == nil)
      #expect(try await known.next() == nil)
      // Open watches don't hold the stop up.
      #expect(await server.shutdown(grace: .seconds(5)))
    }
  }
}
