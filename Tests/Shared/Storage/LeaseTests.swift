import Storage
import TestSupport
import Testing

@Suite("Leases")
struct LeaseTests {
  private static let second: Int64 = 1_000_000_000

  /// A store and, so to say, two replicas on it.
  private func replicas(_ engine: TestEngine) throws -> [Database] {
    let store = try TestStore(engine)
    return try (0..<2).map { _ in try store.open([Lease.migration]) }
  }

  private func acquire(_ database: Database, _ holder: String, at seconds: Int64?) async throws -> Lease? {
    try await database.write {
      try Lease.acquire($0, key: "EU", holder: holder, for: .seconds(10), now: seconds.map { $0 * Self.second })
    }
  }

  private func renew(_ database: Database, _ lease: Lease, at seconds: Int64) async throws -> Lease? {
    try await database.write { try lease.renew($0, for: .seconds(10), now: seconds * Self.second) }
  }

  @Test("one has it at a time, until its time is over; each has a larger number", arguments: TestEngine.allCases)
  func exclusive(engine: TestEngine) async throws {
    let databases = try replicas(engine)
    let first = try #require(try await acquire(databases[0], "a", at: 100))
    #expect(first.expiresAt == 110 * Self.second)
    #expect(try await acquire(databases[1], "b", at: 109) == nil)
    let second = try #require(try await acquire(databases[1], "b", at: 110))
    #expect(second.fence > first.fence)
    #expect(try await acquire(databases[0], "a", at: 111) == nil)
    #expect(try await renew(databases[0], first, at: 111) == nil, "the first has lost it")
    for database in databases { await database.close() }
  }

  @Test(
    "a lease that is renewed lasts, also a moment after its time when nobody took it", arguments: TestEngine.allCases)
  func renewal(engine: TestEngine) async throws {
    let databases = try replicas(engine)
    let lease = try #require(try await acquire(databases[0], "a", at: 100))
    let renewed = try #require(try await renew(databases[0], lease, at: 109))
    #expect(renewed.fence == lease.fence)
    #expect(try await acquire(databases[1], "b", at: 112) == nil)
    #expect(try await renew(databases[0], renewed, at: 130) != nil)
    #expect(try await acquire(databases[1], "b", at: 131) == nil)
    for database in databases { await database.close() }
  }

  @Test(
    "a lease that was given back is free, and what it was taken for can't be done under it any more",
    arguments: TestEngine.allCases)
  func release(engine: TestEngine) async throws {
    let databases = try replicas(engine)
    let lease = try #require(try await acquire(databases[0], "a", at: 100))
    try await databases[0].write { try lease.release($0) }
    #expect(try await renew(databases[0], lease, at: 101) == nil)
    let next = try #require(try await acquire(databases[1], "b", at: 101))
    #expect(next.fence > lease.fence)
    try await databases[0].write { try lease.release($0) }
    #expect(try await acquire(databases[0], "a", at: 102) == nil, "an old lease gives nothing back")
    for database in databases { await database.close() }
  }

  @Test("who asks again as the same holder gets a new lease, and has lost the old one", arguments: TestEngine.allCases)
  func sameHolder(engine: TestEngine) async throws {
    let databases = try replicas(engine)
    let old = try #require(try await acquire(databases[0], "a", at: 100))
    let new = try #require(try await acquire(databases[1], "a", at: 101))
    #expect(new.fence > old.fence)
    #expect(try await renew(databases[0], old, at: 102) == nil)
    for database in databases { await database.close() }
  }

  @Test("a lease that was granted while a clock was ahead keeps nobody out", arguments: TestEngine.allCases)
  func clockSetBack(engine: TestEngine) async throws {
    let databases = try replicas(engine)
    #expect(try await acquire(databases[0], "a", at: 1_000_000) != nil)
    #expect(try await acquire(databases[1], "b", at: 100) != nil)
    for database in databases { await database.close() }
  }

  @Test("of many that ask at once, one gets it", arguments: TestEngine.allCases)
  func race(engine: TestEngine) async throws {
    let databases = try replicas(engine)
    let winners = try await withThrowingTaskGroup(of: Lease?.self) { group in
      for index in 0..<20 {
        group.addTask { try await acquire(databases[index % 2], "holder \(index)", at: nil) }
      }
      return try await group.reduce(into: [Lease]()) { winners, lease in if let lease { winners.append(lease) } }
    }
    #expect(winners.count == 1)
    for database in databases { await database.close() }
  }
}
