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
  private static let away = StorageError(.unavailable, "away")

  /// A process whose store is at work on a write, for as long as the gate is closed.
  private struct World {
    let store: StoreReadiness
    let database: Database
    let channel: Channel
    let gate: Gate
    let waiting: PendingResult<Void>

    func status() async throws -> HealthService.Status {
      try await channel.unary(Methods.check, .init(service: "")).status
    }

    func open() async throws {
      gate.open()
      try await waiting.value()
    }
  }

  private static func withBusyStore(
    _ configure: (inout DatabaseOptions) -> Void = { _ in }, _ body: (World) async throws -> Void
  ) async throws {
    let files = try TestStore()
    let database = try files.open([], configure)
    let health = HealthService(services: [])
    let readiness = Readiness()
    readiness.tell(health)
    let store = StoreReadiness(database, readiness)
    try await withServer({ health.register(in: &$0) }) { (channel, _) async throws -> Void in
      let gate = Gate()
      let waiting = try database.enqueueWrite { _ in gate.pass() }
      await gate.waitUntilEntered()
      try await body(World(store: store, database: database, channel: channel, gate: gate, waiting: waiting))
      store.stop()
      health.drain()
    }
    await database.close()
  }

  @Test("once the server is there again, a process serves when its own connections have got through, and not before")
  func getsThrough() async throws {
    try await Self.withBusyStore { world in
      var watch = try await world.channel.serverStreaming(Methods.watch, .init(service: "")).makeAsyncIterator()
      #expect(try await watch.next()?.status == .serving)
      world.store.changed(Self.away)
      #expect(try await watch.next()?.status == .notServing)
      world.store.changed(nil)
      // Away once more, and there: who still tries for the first time says nothing.
      world.store.changed(Self.away)
      world.store.changed(nil)
      // Reads get through; writes don't.
      try await world.database.read { _ in }
      #expect(try await world.status() == .notServing)
      try await world.open()
      #expect(try await watch.next()?.status == .serving)
      world.store.changed(Self.away)
      #expect(try await watch.next()?.status == .notServing)
    }
  }

  @Test("a store that refuses is asked again until it does not")
  func refused() async throws {
    try await Self.withBusyStore {
      $0.maximumWaitingWrites = 1
    } _: { world in
      var watch = try await world.channel.serverStreaming(Methods.watch, .init(service: "")).makeAsyncIterator()
      #expect(try await watch.next()?.status == .serving)
      // The row is full.
      let next = try world.database.enqueueWrite { _ in }
      await #expect(throws: StorageError.self) { try await world.database.getThrough() }
      world.store.changed(Self.away)
      #expect(try await watch.next()?.status == .notServing)
      world.store.changed(nil)
      try await world.database.read { _ in }
      #expect(try await world.status() == .notServing)
      try await world.open()
      try await next.value()
      #expect(try await watch.next()?.status == .serving)
    }
  }

  @Test("who has stopped says nothing more, although the server is there again")
  func stopped() async throws {
    try await Self.withBusyStore { world in
      world.store.changed(Self.away)
      world.store.changed(nil)
      world.store.stop()
      try await world.open()
      try await world.database.getThrough()
      #expect(try await world.status() == .notServing)
    }
  }
}
