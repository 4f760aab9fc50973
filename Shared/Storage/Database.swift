import EventLoop

/// A store in a file or on a PostgreSQL server, shared by any number of processes: one thread writes and lets all waiting
/// calls share a commit, a few threads read.
///
/// A write returns when it is durable: in the write-ahead log, and flushed to the disk.
public final class Database: Sendable {
  /// What understands its SQL.
  public let engine: StorageEngine
  @usableFromInline let writes: JobQueue
  @usableFromInline let reads: JobQueue
  private let counters: Counters
  private let running: RunningThreads

  /// Opens or makes the store in a file and brings its schema up to date. Blocks; call it before serving.
  ///
  /// - Parameters:
  ///   - path: the file, see ``StorePath/prepare(directory:file:)``.
  ///   - migrations: the whole schema, oldest step first.
  /// - Throws: ``StorageError``: `cannotOpen`, `newerSchema`, `locked`, `full`, `corrupt`.
  public convenience init(
    path: String, migrations: [Migration], options: DatabaseOptions = .init()
  ) throws(StorageError) {
    try self.init(migrations, options) { isReader throws(StorageError) in
      try SQLiteConnection(
        path: path, options: options, cacheKiB: isReader ? options.readerCacheKiB : options.writerCacheKiB,
        readOnly: isReader)
    }
  }

  /// - Parameter connect: makes the connection of a thread that reads, or of the one that writes.
  init(
    _ migrations: [Migration], _ options: DatabaseOptions,
    connect: (_ isReader: Bool) throws(StorageError) -> Connection
  ) throws(StorageError) {
    let connection = try connect(false)
    engine = connection.engine
    writes = JobQueue(
      what: "writes", maximumCount: options.maximumWaitingWrites, maximumWeight: options.maximumWaitingWeight)
    reads = JobQueue(what: "reads", maximumCount: options.maximumWaitingReads)
    counters = Counters()
    running = RunningThreads()

    try connection.migrate(migrations)
    let writer = Writer(connection: connection, queue: writes, options: options, counters: counters)
    try start(name: "store-writer") { writer.run() }
    for _ in 0..<options.readers {
      let reader = Reader(connection: try connect(true), queue: reads)
      try start(name: "store-reader") { reader.run() }
    }
  }

  deinit {
    writes.close()
    reads.close()
  }

  /// Runs `body` in a transaction and returns when that is durable. A body that throws changes nothing, and the other
  /// writes of its commit go on.
  ///
  /// - Parameters:
  ///   - weight: how much of a commit the body takes, e.g. the rows that it writes.
  ///   - key: what the body is about, e.g. an order's id. Of all processes on the store, one at a time runs bodies of a key,
  ///     so that those that go for the same rows wait for each other instead of failing each other. (On SQLite one at a
  ///     time writes anyway.) Bodies of a key run in their order.
  ///   - isolation: on PostgreSQL; nil for ``DatabaseOptions/isolation``. A body whose key keeps everybody else from what it
  ///     reads does with `readCommitted`, and then does not fail because of bodies of other keys; of a commit the strictest
  ///     counts.
  ///   - body: runs on the writing thread. It must not begin or end transactions and must not wait. It runs again, after
  ///     everything that it did was taken back, when another body of the same commit fails, when another process got in
  ///     the way, and when the connection to the server was lost.
  /// - Throws: what `body` threw, or ``StorageError``; after either, nothing was changed, unless its kind is
  ///   `outcomeUnknown`.
  @inlinable
  public func write<Value: Sendable>(
    weight: Int = 1, key: String? = nil, isolation: Isolation? = nil,
    _ body: @escaping @Sendable (Connection) throws -> Value
  ) async throws -> Value {
    try await enqueueWrite(weight: weight, key: key, isolation: isolation, body).value()
  }

  /// As ``write(weight:key:_:)`` without waiting: what is handed over first is run first, usually in one commit; on
  /// PostgreSQL, in which the bodies of a commit are ordered by key, that holds for those of the same key and for those of none.
  ///
  /// - Throws: `overloaded` or `closed`.
  @inlinable
  public func enqueueWrite<Value: Sendable>(
    weight: Int = 1, key: String? = nil, isolation: Isolation? = nil,
    _ body: @escaping @Sendable (Connection) throws -> Value
  ) throws(StorageError) -> PendingResult<Value> {
    let job = TypedJob(weight: weight, key: key, isolation: isolation, body: body)
    try writes.add(job)
    return job.pending
  }

  /// Runs `body` on a reading thread. All its statements see the same state: one that has every write that returned.
  ///
  /// - Throws: what `body` threw, or ``StorageError``.
  @inlinable
  public func read<Value: Sendable>(_ body: @escaping @Sendable (Connection) throws -> Value) async throws -> Value {
    let job = TypedJob(weight: 1, body: body)
    try reads.add(job)
    return try await job.pending.value()
  }

  /// Returns when a write and a read have been to the store and back, neither of which does anything.
  ///
  /// - Throws: ``StorageError``, as they do.
  public func getThrough() async throws {
    async let reading: Void = read { _ in }
    try await write(isolation: .readCommitted) { _ in }
    try await reading
  }

  /// Transactions committed.
  public var commits: Int { counters.commits.load(ordering: .relaxed) }

  /// Refuses new calls, finishes those that wait, and returns when the store is closed.
  public func close() async {
    writes.close()
    reads.close()
    await running.ended()
  }

  private func start(name: String, _ body: @escaping @Sendable () -> Void) throws(StorageError) {
    running.begin()
    let running = running
    do throws(SystemError) {
      try spawnThread(named: name) {
        body()
        running.end()
      }
    } catch {
      running.end()
      throw StorageError(.other, "thread \(name): \(error)", remedy: "raise the limit of threads (ulimit -u)")
    }
  }
}
