import EventLoop
import Messages
import RPC
import Storage
import Stubs
import TestSupport
import Testing

@testable import ServiceKit

@Suite("Whether the store can be worked with")
struct StoreReadinessTests {
  private typealias Methods = Grpc.Health.V1.HealthMethods

  @Test("once the server is there again, a process serves when its own connections have got through, and not before")
  func getsThrough() async throws {
    let files = try TestStore()
    let database = try files.open([])
    let health = HealthService(services: [])
    let readiness = Readiness()
    readiness.tell(health)
    let store = StoreReadiness(database, readiness)
    let away = StorageError(.unavailable, "away")
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      var watch = try await channel.serverStreaming(Methods.watch, .init(service: "")).makeAsyncIterator()
      #expect(try await watch.next()?.status == .serving)
      let gate = Gate()
      let waiting = try database.enqueueWrite { _ in gate.pass() }
      await gate.waitUntilEntered()
      store.changed(away)
      #expect(try await watch.next()?.status == .notServing)
      store.changed(nil)
      // Away once more, and there: who still tries for the first time says nothing.
      store.changed(away)
      store.changed(nil)
      // Reads get through; writes don't.
      try await database.read { _ in }
      #expect(try await channel.unary(Methods.check, .init(service: "")).status == .notServing)
      gate.open()
      try await waiting.value()
      #expect(try await watch.next()?.status == .serving)
      store.changed(away)
      #expect(try await watch.next()?.status == .notServing)
      store.stop()
      health.drain()
    }
    await database.close()
  }

  @Test("who has stopped says nothing more, although the server is there again")
  func stopped() async throws {
    let files = try TestStore()
    let database = try files.open([])
    let health = HealthService(services: [])
    let readiness = Readiness()
    readiness.tell(health)
    let store = StoreReadiness(database, readiness)
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      let gate = Gate()
      let waiting = try database.enqueueWrite { _ in gate.pass() }
      await gate.waitUntilEntered()
      store.changed(StorageError(.unavailable, "away"))
      store.changed(nil)
      store.stop()
      gate.open()
      try await waiting.value()
      try await database.getThrough()
      #expect(try await channel.unary(Methods.check, .init(service: "")).status == .notServing)
      health.drain()
    }
    await database.close()
  }
}
