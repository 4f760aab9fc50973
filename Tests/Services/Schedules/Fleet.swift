import EventLoop
import Glibc
import Storage
import Synchronization
import TestSupport

@testable import Inventory

/// Several replicas on one store, which share a clock.
final class Fleet: Sendable {
  let engine: TestEngine
  let takesTurns: Bool
  let clock = SimulatedClock()
  private let files: TestStore
  private let replicas: Lock<[Database]>
  private let names = Atomic<Int>(0)

  /// - Parameter takesTurns: false lets replicas write an aggregate at the same time, which is a flaw.
  init(_ engine: TestEngine, replicas: Int, takesTurns: Bool = true) throws {
    self.engine = engine
    self.takesTurns = takesTurns
    files = try TestStore(engine, in: TestStore.memory)
    var databases: [Database] = []
    for _ in 0..<replicas { databases.append(try Self.open(files, takesTurns)) }
    self.replicas = Lock(databases)
  }

  private static func open(_ files: TestStore, _ takesTurns: Bool) throws -> Database {
    try files.open(StockSchema.migrations) { options in
      options.readers = 1
      if !takesTurns { options.isolation = .readCommitted }
    }
  }

  subscript(replica: Int) -> Database { replicas.withLock { $0[replica % $0.count] } }

  /// Stops a replica in order while others, or its successor, go on.
  func restart(_ replica: Int) async throws {
    let new = try opened(attempts: 5)
    let old = replicas.withLock { replicas in
      let old = replicas[replica]
      replicas[replica] = new
      return old
    }
    await old.close()
  }

  /// A session may be ended while the store is opened, which ends a process, and another one is started.
  private func opened(attempts: Int) throws -> Database {
    for _ in 1..<attempts {
      do {
        return try Self.open(files, takesTurns)
      } catch let error as StorageError where error.kind == .unavailable {
        continue
      }
    }
    return try Self.open(files, takesTurns)
  }

  /// Ends all sessions of the store but the replica's reader.
  func cut(_ replica: Int) async throws {
    guard engine == .postgresql else { return }
    let name = "oms-connector/\(files.service)"
    try await self[replica].read { connection in
      try connection.withStatement(
        """
        SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE application_name = ?1 AND pid <> pg_backend_pid()
        """
      ) { statement in
        try statement.bind(name, at: 1)
        _ = try statement.step()
      }
    }
  }

  /// What aggregates' ids and deliveries begin with, so that schedules on one store have nothing in common.
  func nextPrefix() -> String { "\(names.add(1, ordering: .relaxed).newValue)-" }

  func close() async {
    for database in replicas.withLock({ $0 }) { await database.close() }
  }
}

/// A clock that goes on whenever it is looked at: no two looks tell the same time.
final class SimulatedClock: Sendable {
  /// Nanoseconds; more than one, since a change may be noted a nanosecond after another one.
  private static let step: Int64 = 1_000
  private let time = Atomic<Int64>(SimulatedTime.beginning)

  func now() -> Int64 { time.add(Self.step, ordering: .sequentiallyConsistent).newValue }

  func advance(minutes: Int64) { time.add(minutes * SimulatedTime.minute, ordering: .sequentiallyConsistent) }

  func begin() { time.store(SimulatedTime.beginning, ordering: .sequentiallyConsistent) }
}

/// The times at which one attempt looked at the clock: where it stands among the changes of its aggregate.
final class Looks: Sendable {
  private let times = Lock<[Int64]>([])
  private let finished = Atomic<Bool>(false)

  /// - Parameter clock: of the replicas.
  func store(_ database: Database, _ clock: SimulatedClock) -> StockStore {
    var store = StockStore(database)
    store.clock = { [self] in
      let now = clock.now()
      times.withLock { $0.append(now) }
      return now
    }
    store.partSize = StockRule.partSize
    return store
  }

  var all: [Int64] { times.withLock { $0 } }

  /// What the attempt has done is durable. One may have looked and have been undone, and then found that another one has done it.
  var isDone: Bool { finished.load(ordering: .sequentiallyConsistent) }

  func finish() { finished.store(true, ordering: .sequentiallyConsistent) }
}
