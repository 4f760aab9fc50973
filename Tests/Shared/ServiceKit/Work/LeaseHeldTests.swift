import EventLoop
import Storage
import TestSupport
import Testing

@testable import ServiceKit

@Suite("What one replica at a time does", .timeLimit(.minutes(1)))
struct LeaseHeldTests {
  private struct Failed: Error {}

  /// Two replicas on a store.
  private final class Site: Sendable {
    let database: TemporaryDatabase
    let group: EventLoopGroup

    init(_ engine: TestEngine = .sqlite) throws {
      database = try TemporaryDatabase([Lease.migration], on: engine)
      group = try EventLoopGroup(loops: 1)
    }

    deinit { group.stop() }

    func hold<Result>(
      _ holder: String, for duration: Duration = .seconds(60), restingFor rest: Duration = .zero,
      _ body: (Lease) async throws -> Result
    ) async throws -> Result? {
      try await Lease.held(
        "work", by: holder, for: duration, in: database.database, on: group.loops[0], restingFor: rest, body)
    }

    /// Leases can be neither asked for nor ended any more.
    func breakLeases() async throws {
      try await database.database.write { try $0.execute("DROP TABLE lease") }
    }

    func stop() async { await database.database.close() }
  }

  @Test("while one does it another can't; then it can", arguments: TestEngine.allCases)
  func exclusive(engine: TestEngine) async throws {
    let site = try Site(engine)
    let done = try await site.hold("a") { _ in
      let other = try await site.hold("b") { _ in 2 }
      #expect(other == nil)
      return 1
    }
    #expect(done == 1)
    #expect(try await site.hold("b") { _ in 2 } == 2)
    await site.stop()
  }

  @Test("once it was done the others leave it alone for as long as was said; the same one may do it again")
  func resting() async throws {
    let site = try Site()
    #expect(try await site.hold("a", restingFor: .seconds(3_600)) { _ in 1 } == 1)
    #expect(try await site.hold("b") { _ in 2 } == nil)
    #expect(try await site.hold("a") { _ in 3 } == 3)
    await site.stop()
  }

  @Test("when it fails another one may try at once", arguments: TestEngine.allCases)
  func failing(engine: TestEngine) async throws {
    let site = try Site(engine)
    await #expect(throws: Failed.self) {
      try await site.hold("a", restingFor: .seconds(3_600)) { _ in throw Failed() }
    }
    #expect(try await site.hold("b") { _ in 2 } == 2)
    await site.stop()
  }

  @Test(
    "a lease that can't be ended hides neither what was done nor why it failed",
    arguments: [Duration.zero, .seconds(1)])
  func unended(rest: Duration) async throws {
    for fails in [false, true] {
      let site = try Site()
      let outcome = await Result<Int?, any Error>.of {
        try await site.hold("a", restingFor: rest) { _ in
          try await site.breakLeases()
          if fails { throw Failed() }
          return 1
        }
      }
      switch outcome {
      case .success(let value): #expect(!fails && value == 1)
      case .failure(let error): #expect(fails && error is Failed)
      }
      await #expect(throws: StorageError.self) { try await site.hold("a") { _ in } }
      await site.stop()
    }
  }

  @Test("it is renewed for as long as it takes", arguments: TestEngine.allCases)
  func slow(engine: TestEngine) async throws {
    let site = try Site(engine)
    let renewals = try await site.hold("a", for: .milliseconds(300)) { lease in
      var (renewals, last) = (0, lease.expiresAt)
      while renewals < 2 {
        let now = try await site.database.database.read { connection in
          try connection.withStatement("SELECT expires_at FROM lease") { try $0.step() ? $0.integer(0) : 0 }
        }
        if now > last { (renewals, last) = (renewals + 1, now) }
        await Task.yield()
      }
      return renewals
    }
    #expect(renewals == 2)
    await site.stop()
  }
}

extension Result where Failure == any Error {
  fileprivate static func of(_ body: () async throws -> Success) async -> Self {
    do {
      return .success(try await body())
    } catch {
      return .failure(error)
    }
  }
}
