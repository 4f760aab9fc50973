import EventLoop
import Storage
import TestSupport
import Testing

@testable import Gateway

@Suite("Leases of gateways", .serialized, .timeLimit(.minutes(1)))
struct GatewayLeasesTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  /// After a time on the server's clock.
  private static func at(_ duration: Duration) -> Int64 { start + Int64(clamping: duration.nanoseconds) }

  /// A clock that nobody sets.
  private final class Clock: Sendable {
    private let nanoseconds = Lock<UInt64>(1)
    var now: UInt64 { nanoseconds.withLock { $0 } }
    func advance(by duration: UInt64) { nanoseconds.withLock { $0 += duration } }
  }

  /// What was told of the number of gateways.
  private final class Shares: Sendable {
    private let counts = Lock<[Int]>([])
    var all: [Int] { counts.withLock { $0 } }
    func add(_ count: Int) { counts.withLock { $0.append(count) } }
  }

  /// A gateway that shares the partitions, and a duty of one.
  private struct Member {
    let leases: GatewayLeases
    let held: HeldPartitions
    let single: HeldDuty
    let shares: Shares
    let time: Clock

    var count: Int {
      get async { await leases.keys.count { $0.hasPrefix("partition") } }
    }
    var hasSingle: Bool {
      get async { await leases.keys.contains("single") }
    }
  }

  /// - Parameter end: of the work on a partition that is given back.
  private func member(
    _ name: String, _ database: Database, end: @escaping @Sendable () async -> Void = {}
  ) -> Member {
    let time = Clock()
    let partitions = 0..<JournalPartition.serverCount
    let held = HeldPartitions(partitions) { time.now }
    let duty = HeldDuty { time.now }
    let shares = Shares()
    let leases = GatewayLeases(
      LeaseStore(database: database), instance: name, held: held,
      shared: partitions.map { partition in
        .init(key: JournalPartition.key(partition)) {
          await untilCancelled()
          await end()
        }
      },
      single: [.init(key: "single", work: { await untilCancelled() }, hold: { duty.hold(until: $0) })],
      share: { shares.add($0) }, now: { time.now })
    return Member(leases: leases, held: held, single: duty, shares: shares, time: time)
  }

  @Test("are shared evenly, given back when another one comes, and pass on within five seconds of a death")
  func sharing() async throws {
    let store = try TemporaryGatewayStore(.postgresql)
    let database = try store.open()
    let (anna, bert) = (member("anna", database), member("bert", database))
    await anna.leases.round(at: Self.at(.zero))
    #expect(await anna.count == 16)
    #expect(await anna.hasSingle && anna.single.isHeld)
    #expect(await anna.leases.isAlone)
    await bert.leases.round(at: Self.at(.milliseconds(100)))
    #expect(await bert.count == 0)
    await anna.leases.round(at: Self.at(.seconds(1)))
    #expect(await !anna.leases.isAlone)
    await anna.leases.settled()
    #expect(await anna.count == 8)
    await bert.leases.round(at: Self.at(.milliseconds(1_100)))
    #expect(await bert.count == 8)
    #expect(await !bert.hasSingle)
    for second in 2...3 {
      await bert.leases.round(at: Self.at(.seconds(second)))
      #expect(await bert.count == 8)
    }
    // Anna was last heard of at 1 s.
    await bert.leases.round(at: Self.at(.milliseconds(4_100)))
    #expect(await bert.count == 16)
    #expect(await bert.hasSingle)
    // She lives, and finds that she has lost everything.
    await anna.leases.round(at: Self.at(.milliseconds(4_200)))
    await anna.leases.settled()
    #expect(await anna.count == 0)
    #expect(!anna.single.isHeld && bert.single.isHeld)
    for partition in 0..<JournalPartition.serverCount {
      #expect(!anna.held.isHeld(partition) && bert.held.isHeld(partition))
    }
    await bert.leases.round(at: Self.at(.seconds(5)))
    await bert.leases.settled()
    await anna.leases.round(at: Self.at(.milliseconds(5_200)))
    #expect(await anna.count == 8)
    #expect(await bert.count == 8)
    #expect(anna.shares.all == [2] && bert.shares.all == [2, 1, 2])
    await database.close()
  }

  @Test("three have six, six and four")
  func three() async throws {
    let store = try TemporaryGatewayStore(.postgresql)
    let database = try store.open()
    let members = ["a", "b", "c"].map { member($0, database) }
    for second in 0..<6 {
      for member in members {
        await member.leases.round(at: Self.at(.seconds(second)))
        await member.leases.settled()
      }
    }
    var counts: [Int] = []
    for member in members { counts.append(await member.count) }
    #expect(counts.sorted() == [4, 6, 6])
    await database.close()
  }

  @Test("a round that was under way while partitions were given back neither holds them nor begins them again")
  func roundWhileGivingBack() async throws {
    let store = try TemporaryGatewayStore(.postgresql)
    let (database, other) = (try store.open(), try store.open())
    let (work, row) = (DeliveryGate(), Gate())
    let (anna, bert) = (member("anna", database) { _ = await work.pass() }, member("bert", other))
    await anna.leases.round(at: Self.at(.zero))
    await bert.leases.round(at: Self.at(.milliseconds(100)))
    await anna.leases.round(at: Self.at(.seconds(1)))
    let locking = Task {
      try await other.write { connection in
        _ = try connection.withStatement("SELECT 1 FROM gateway_instance WHERE instance = 'anna' FOR UPDATE") {
          try $0.step()
        }
        row.pass()
      }
    }
    await row.waitUntilEntered()
    let round = Task { await anna.leases.round(at: Self.at(.seconds(2))) }
    let blocked = """
      SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '%' || current_schema()
      """
    while try await database.number(blocked) == 0 { await Task.yield() }

    work.open()
    let given = 8..<JournalPartition.serverCount
    while given.contains(where: anna.held.isHeld) { await Task.yield() }
    row.open()
    try await locking.value
    await round.value
    await anna.leases.settled()
    #expect(!given.contains(where: anna.held.isHeld))
    #expect(await anna.count == 8)
    await bert.leases.round(at: Self.at(.milliseconds(2_100)))
    #expect(given.allSatisfy(bert.held.isHeld))
    for database in [database, other] { await database.close() }
  }

  @Test(
    "what a gateway has is renewed while another one stands still that was taking a lease, and that lease is soon free")
  func standstill() async throws {
    let store = try TemporaryGatewayStore(.postgresql)
    let (database, other) = (try store.openLeases(), try store.openLeases())
    let anna = member("anna", database)
    await anna.leases.round(at: Self.at(.zero))
    try await database.write { try Lease.release($0, key: "single", holder: "anna") }
    let gate = Gate()
    let frozen = Task {
      try await other.write { connection in
        _ = try Lease.acquire(connection, key: "single", holder: "bert", for: .seconds(3), now: Self.at(.seconds(4)))
        gate.pass()
      }
    }
    await gate.waitUntilEntered()
    anna.time.advance(by: Duration.seconds(2).nanoseconds)
    await anna.leases.round(at: Self.at(.seconds(2)))
    #expect(await !anna.hasSingle)
    anna.time.advance(by: Duration.seconds(2).nanoseconds)
    #expect(anna.held.heldBack(3) == nil)
    while await !anna.hasSingle { await anna.leases.round(at: Self.at(.seconds(4))) }
    gate.open()
    _ = await frozen.result
    await anna.leases.round(at: Self.at(.seconds(4)))
    #expect(await anna.hasSingle)
    for database in [database, other] { await database.close() }
  }

  @Test("nothing new is begun when the time is over that the holder counts itself, though nobody could be asked")
  func expiry() async throws {
    let store = try TemporaryGatewayStore(.postgresql)
    let database = try store.open()
    let anna = member("anna", database)
    await anna.leases.round(at: Self.at(.zero))
    #expect(anna.held.heldBack(3) == nil)
    anna.time.advance(by: GatewayLeases.duration.nanoseconds - 1)
    #expect(anna.held.heldBack(3) == nil)
    await database.close()
    await anna.leases.round(at: Self.at(.seconds(2)))
    #expect(anna.held.heldBack(3) == nil && anna.single.isHeld)
    anna.time.advance(by: 1)
    #expect(!anna.single.isHeld)
    #expect(anna.held.heldBack(3)?.contains("lease") == true)
    #expect(anna.held.isHeld(3), "what is under way goes on until another gateway is known to have it")
  }
}
