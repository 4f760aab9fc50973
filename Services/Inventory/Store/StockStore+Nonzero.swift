import ServiceKit
import Storage

extension StockStore {
  /// What a NONZERO leaves out, by the same test of time as its rows. The rows of its parts carry its created_on and mark, so the
  /// fourth condition spares them.
  ///
  /// A zeroed row takes the NONZERO's created_on: an older DELTA that comes late must not bring it back.
  private static let leftOut = """
    aggregate_id = ?1 AND created_on <= ?2 AND unlimited = 0 AND NOT (by_nonzero = 1 AND created_on = ?2)
    AND sku NOT IN (SELECT sku FROM \(StockSchema.spared) WHERE aggregate_id = ?1 AND created_on = ?2)
    """

  /// OR FAIL: with ABORT, the default, SQLite would note down every page for taking this one statement back.
  private static func zero(_ engine: StorageEngine) -> String {
    "UPDATE \(engine == .sqlite ? "OR FAIL " : "")\(StockSchema.table) SET quantity = 0, created_on = ?2, by_nonzero = 1 "
      + "WHERE \(leftOut)"
  }

  /// After the rows of a NONZERO are written: zeroes what it leaves out, or leaves that open, see ``NonzeroRun``.
  func zeroLeftOut(
    _ snapshot: StockSnapshot, isPart: Bool, _ connection: Connection, _ outcome: inout SnapshotOutcome, now: Int64
  ) throws {
    let rows = Int64(snapshot.rows.count + snapshot.invalid)
    let known = try run(of: snapshot.aggregateId, connection)
    try spare(snapshot.namedByInvalidRows, by: snapshot.createdOn, of: snapshot.aggregateId, connection)
    if let known, known.createdOn > snapshot.createdOn {
      // A later one has said what is there, or will. A small one is still taken at its word for what it is older than.
      guard !known.isOpen, !isPart, rows < partSize else { return }
    }
    var run = NonzeroRun(createdOn: snapshot.createdOn, lastAt: now, parts: 1, named: rows, isOpen: false)
    if let known, known.createdOn == snapshot.createdOn {
      run.parts = known.parts + 1
      run.named = known.named + rows
    }
    run.isOpen = isPart || run.parts > 1 || rows >= partSize
    if !run.isOpen { try close(run, of: snapshot.aggregateId, connection, &outcome, now: now) }
    if let known, known.createdOn > run.createdOn { return }
    if let known, known.createdOn < run.createdOn {
      try forgetSpared(before: run.createdOn, of: snapshot.aggregateId, connection)
    }
    try save(run, of: snapshot.aggregateId, connection)
  }

  /// A later FULL or NONZERO says that an open one has no more parts.
  ///
  /// - Returns: whether there was one.
  func closeRun(
    before snapshot: StockSnapshot, _ connection: Connection, _ outcome: inout SnapshotOutcome, now: Int64
  ) throws -> Bool {
    guard let run = try run(of: snapshot.aggregateId, connection), run.isOpen, run.createdOn < snapshot.createdOn
    else { return false }
    try closeNow(run, of: snapshot.aggregateId, connection, &outcome, now: now)
    return true
  }

  private func closeNow(
    _ run: NonzeroRun, of aggregateId: String, _ connection: Connection, _ outcome: inout SnapshotOutcome, now: Int64
  ) throws {
    var closed = run
    closed.isOpen = false
    try save(closed, of: aggregateId, connection)
    try close(run, of: aggregateId, connection, &outcome, now: now)
  }

  /// Zeroes, unless the operator has to look at it first.
  private func close(
    _ run: NonzeroRun, of aggregateId: String, _ connection: Connection, _ outcome: inout SnapshotOutcome, now: Int64
  ) throws {
    let (skus, zeros) = try connection.withStatement(
      """
      SELECT COUNT(*), COALESCE(SUM(CASE WHEN quantity > 0 AND \(Self.leftOut) THEN 1 ELSE 0 END), 0)
      FROM \(StockSchema.table) WHERE aggregate_id = ?1
      """
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(run.createdOn.nanoseconds, at: 2)
      return try statement.step() ? (statement.integer(0), statement.integer(1)) : (0, 0)
    }
    if ZeroGuard.holds(zeros: zeros, of: skus) {
      outcome.heldID = try HeldSnapshots.holdZeros(
        run, of: aggregateId, spared: spared(by: run.createdOn, of: aggregateId, connection), zeros: zeros, skus: skus,
        connection,
        now: now)
      return
    }
    outcome.add(try zero(aggregateId, run.createdOn, connection, now: now))
  }

  /// - Parameter spared: SKUs that are not left out; further ones.
  /// - Returns: how many SKUs are 0 now, those that were included.
  func zero(
    _ aggregateId: String, _ createdOn: CreatedOn, sparing spared: [String] = [], _ connection: Connection, now: Int64
  ) throws -> SnapshotOutcome {
    try spare(spared, by: createdOn, of: aggregateId, connection)
    var outcome = SnapshotOutcome()
    outcome.isToPush = try noteZeros(aggregateId, createdOn, connection, now: now)
    outcome.zeroed = try connection.withStatement(Self.zero(connection.engine)) { statement throws(StorageError) in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(createdOn.nanoseconds, at: 2)
      return try statement.run()
    }
    return outcome
  }

  /// For the history and the shop, before it happens; some at a time, because they may be many.
  ///
  /// - Returns: whether the shop has to be told.
  private func noteZeros(
    _ aggregateId: String, _ createdOn: CreatedOn, _ connection: Connection, now: Int64
  ) throws -> Bool {
    var isToPush = false
    var after = ""
    while true {
      let entries = try connection.withStatement(
        """
        SELECT sku, quantity, created_on FROM \(StockSchema.table) WHERE quantity > 0 AND \(Self.leftOut) AND sku > ?3
        ORDER BY sku LIMIT ?4
        """
      ) { statement in
        try statement.bind(aggregateId, at: 1)
        try statement.bind(createdOn.nanoseconds, at: 2)
        try statement.bind(after, at: 3)
        try statement.bind(Int64(SnapshotLimits.rows), at: 4)
        var entries: [StockHistory.Entry] = []
        while try statement.step() {
          let previous = StoredStock(
            quantity: statement.integer(1), unlimited: false, createdOn: statement.integer(2))
          let zero = StoredStock(quantity: 0, unlimited: false, createdOn: createdOn.nanoseconds)
          entries.append(.init(sku: statement.text(0), stock: zero, previous: previous, at: now))
        }
        return entries
      }
      guard let last = entries.last else { return isToPush }
      try StockHistory.add(entries, aggregateId: aggregateId, mode: .nonzero, zeroed: true, connection)
      isToPush = try PushQueue.mark(entries.lazy.map(\.sku), of: aggregateId, connection, at: now)
      if entries.count < SnapshotLimits.rows { return isToPush }
      after = last.sku
    }
  }

  // MARK: What is not left out though nothing was written

  /// How much older than the last NONZERO one may be whose bad rows are still known, nanoseconds: its late parts are.
  private static let sparedFor: Int64 = 24 * 3_600 * 1_000_000_000

  /// For good, as a further part may come after a NONZERO has ended, which is then ended again.
  ///
  /// - Parameter createdOn: the NONZERO's.
  func spare(
    _ skus: [String], by createdOn: CreatedOn, of aggregateId: String, _ connection: Connection
  ) throws {
    if skus.isEmpty { return }
    try connection.withStatement(
      """
      INSERT INTO \(StockSchema.spared) (aggregate_id, created_on, sku) VALUES (?1, ?2, ?3)
      ON CONFLICT (aggregate_id, created_on, sku) DO NOTHING
      """
    ) { statement throws(StorageError) in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(createdOn.nanoseconds, at: 2)
      try statement.runEach(
        skus, text: { $0 }, at: 3, bind: { _ throws(StorageError) in }, changed: { _, _ in })
    }
  }

  private func spared(
    by createdOn: CreatedOn, of aggregateId: String, _ connection: Connection
  ) throws -> [String] {
    try connection.withStatement(
      "SELECT sku FROM \(StockSchema.spared) WHERE aggregate_id = ?1 AND created_on = ?2 ORDER BY sku"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(createdOn.nanoseconds, at: 2)
      var spared: [String] = []
      while try statement.step() { spared.append(statement.text(0)) }
      return spared
    }
  }

  /// By any NONZERO.
  func forgetSpared(_ sku: String, of aggregateId: String, _ connection: Connection) throws {
    try connection.withStatement("DELETE FROM \(StockSchema.spared) WHERE aggregate_id = ?1 AND sku = ?2") {
      statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(sku, at: 2)
      _ = try statement.run()
    }
  }

  private func forgetSpared(before createdOn: CreatedOn, of aggregateId: String, _ connection: Connection) throws {
    try connection.withStatement(
      "DELETE FROM \(StockSchema.spared) WHERE aggregate_id = ?1 AND created_on < ?2"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(createdOn.nanoseconds - Self.sparedFor, at: 2)
      _ = try statement.run()
    }
  }

  // MARK: Runs

  func run(of aggregateId: String, _ connection: Connection) throws -> NonzeroRun? {
    try connection.withStatement(
      "SELECT created_on, last_at, parts, named, is_open FROM stock_nonzero WHERE aggregate_id = ?1"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      guard try statement.step() else { return nil }
      return NonzeroRun(
        createdOn: CreatedOn(nanoseconds: statement.integer(0)), lastAt: statement.integer(1),
        parts: statement.integer(2), named: statement.integer(3), isOpen: statement.bool(4))
    }
  }

  private func save(_ run: NonzeroRun, of aggregateId: String, _ connection: Connection) throws {
    try connection.withStatement(
      """
      INSERT INTO stock_nonzero (aggregate_id, created_on, last_at, parts, named, is_open)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      ON CONFLICT (aggregate_id) DO UPDATE SET created_on = excluded.created_on, last_at = excluded.last_at,
        parts = excluded.parts, named = excluded.named, is_open = excluded.is_open
      """
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(run.createdOn.nanoseconds, at: 2)
      try statement.bind(run.lastAt, at: 3)
      try statement.bind(run.parts, at: 4)
      try statement.bind(run.named, at: 5)
      try statement.bind(run.isOpen, at: 6)
      _ = try statement.run()
    }
  }

  /// Open NONZEROs that have had no part for ``NonzeroRun/idleTime``.
  func idleRuns(now: Int64) async throws -> [IdleRun] {
    try await database.read { connection in
      var found = try connection.withStatement(
        "SELECT aggregate_id, created_on FROM stock_nonzero WHERE is_open = 1 AND last_at <= ?1 ORDER BY aggregate_id LIMIT 1000"
      ) { statement in
        try statement.bind(now - NonzeroRun.idleTime, at: 1)
        var found: [IdleRun] = []
        while try statement.step() {
          found.append(
            IdleRun(aggregateId: statement.text(0), createdOn: CreatedOn(nanoseconds: statement.integer(1))))
        }
        return found
      }
      for index in found.indices {
        let run = found[index]
        found[index].origins = try ReleasedSnapshots.origins(of: run.createdOn, in: run.aggregateId, connection)
      }
      return found
    }
  }

  /// - Returns: what was zeroed, or held; nil when a part has come meanwhile, or waits for the operator.
  func closeIdleRun(of aggregateId: String) async throws -> SnapshotOutcome? {
    try await database.write(weight: SnapshotLimits.rows, key: aggregateId) { connection in
      let now = clock()
      guard let run = try run(of: aggregateId, connection), run.isOpen, run.lastAt <= now - NonzeroRun.idleTime,
        try !HeldSnapshots.hasParts(of: run, of: aggregateId, connection)
      else { return nil }
      var outcome = SnapshotOutcome()
      try closeNow(run, of: aggregateId, connection, &outcome, now: now)
      return outcome
    }
  }
}
