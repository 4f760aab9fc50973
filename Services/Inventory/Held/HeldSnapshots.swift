import Messages
import ServiceKit
import Storage

/// Snapshots that wait for the operator, in the store.
enum HeldSnapshots {
  /// How far ahead of the clock a snapshot may be, nanoseconds (magento-rules.md §6). One from further ahead would freeze its SKUs
  /// until that time: everything that comes before it would be older.
  static let longestAhead: Int64 = 10 * 60 * 1_000_000_000
  /// So many wait at most; more are refused.
  static let limit = 1_000

  /// Whether a snapshot is from the future.
  static func isFuture(_ snapshot: StockSnapshot, now: Int64) -> Bool {
    snapshot.createdOn.nanoseconds > now + longestAhead
  }

  static func holdFuture(
    _ snapshot: StockSnapshot, _ connection: Connection, now: Int64
  ) throws -> SnapshotOutcome {
    var message = Omsconnector.V1.StockSnapshot(snapshot)
    message.stock += snapshot.namedByInvalidRows.map { .init(sku: $0) }
    let body = message.serialized()
    let minutes = (snapshot.createdOn.nanoseconds - now) / 60_000_000_000
    var outcome = SnapshotOutcome()
    outcome.invalid = snapshot.invalid
    outcome.invalidRows = snapshot.invalidRows
    outcome.isFuture = true
    outcome.heldID = try hold(
      HeldSnapshot(
        id: 0, aggregateId: snapshot.aggregateId, mode: snapshot.mode, createdOn: snapshot.createdOn, reason: .future,
        explanation:
          "created_on is \(minutes) minutes ahead of \(Google.Protobuf.Timestamp(nanosecondsSinceEpoch: now).text), "
          + "when it came; applied, it would hold off everything that is older",
        skus: Int64(snapshot.rows.count), zeros: 0, heldAt: now), body,
      issues: Omsconnector.V1.ApplyStockSnapshotResponse(outcome).serialized(), identity: body, connection)
    return outcome
  }

  /// - Parameters:
  ///   - spared: what is not zeroed though it is left out.
  ///   - skus: the aggregate's.
  static func holdZeros(
    _ run: NonzeroRun, of aggregateId: String, spared: [String], zeros: Int64, skus: Int64, _ connection: Connection,
    now: Int64
  ) throws -> Int64 {
    // What an earlier one asked for is overtaken.
    try connection.withStatement(
      "DELETE FROM held_snapshot WHERE aggregate_id = ?1 AND reason = ?2 AND created_on < ?3"
    ) { statement in
      try statement.bind(aggregateId, at: 1)
      try statement.bind(HeldReason.manyZeros.rawValue, at: 2)
      try statement.bind(run.createdOn.nanoseconds, at: 3)
      _ = try statement.run()
    }
    let body = Omsconnector.V1.StockSnapshot(
      aggregateId: aggregateId, mode: .nonzero, createdOn: .init(run.createdOn),
      stock: spared.map { .init(sku: $0) })
    return try hold(
      HeldSnapshot(
        id: 0, aggregateId: aggregateId, mode: .nonzero, createdOn: run.createdOn, reason: .manyZeros,
        explanation:
          "what it leaves out would set \(zeros) of \(skus) SKUs to 0, more than a fifth; what it names is applied",
        skus: run.named, zeros: zeros, heldAt: now), body.serialized(), issues: [], identity: [], connection)
  }

  /// - Parameters:
  ///   - body: `omsconnector.v1.StockSnapshot`: of one from the future, its rows, and the SKUs that its bad rows name, without a
  ///     quantity; of many zeros, the SKUs that are not left out.
  ///   - issues: `omsconnector.v1.ApplyStockSnapshotResponse`: the bad rows.
  /// - Returns: its id; that of the same one when it is held already.
  private static func hold(
    _ held: HeldSnapshot, _ body: [UInt8], issues: [UInt8], identity: [UInt8], _ connection: Connection
  ) throws -> Int64 {
    let digest = SHA256.digest(ofParts: [
      Array("\(held.reason.rawValue) \(held.createdOn.nanoseconds)".utf8), identity,
    ])
    let number = try number(connection)
    return try connection.withStatement(
      """
      INSERT INTO held_snapshot
        (id, aggregate_id, digest, mode, created_on, reason, explanation, skus, zeros, held_at, body, issues)
      SELECT ?13, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12 WHERE (SELECT COUNT(*) FROM held_snapshot) < ?11
      ON CONFLICT (aggregate_id, digest) DO UPDATE SET
        explanation = excluded.explanation, skus = excluded.skus, zeros = excluded.zeros, body = excluded.body,
        issues = excluded.issues
      RETURNING id
      """
    ) { statement in
      try statement.bind(held.aggregateId, at: 1)
      try statement.bind(digest, at: 2)
      try statement.bind(held.mode.number, at: 3)
      try statement.bind(held.createdOn.nanoseconds, at: 4)
      try statement.bind(held.reason.rawValue, at: 5)
      try statement.bind(held.explanation, at: 6)
      try statement.bind(held.skus, at: 7)
      try statement.bind(held.zeros, at: 8)
      try statement.bind(held.heldAt, at: 9)
      try statement.bind(body, at: 10)
      try statement.bind(Int64(limit), at: 11)
      try statement.bind(issues, at: 12)
      try statement.bind(number, at: 13)
      guard try statement.step() else {
        throw SnapshotError(
          "snapshot \(quotable(held.aggregateId)): it would wait for the operator (\(held.explanation)), but \(limit) wait "
            + "already; see omsctl stock held", field: "snapshot")
      }
      let id = statement.integer(0)
      _ = try statement.step()
      return id
    }
  }

  /// The number of the next one on PostgreSQL; nil where the store gives one itself.
  private static func number(_ connection: Connection) throws -> Int64? {
    if connection.engine == .sqlite { return nil }
    let take = "UPDATE held_number SET last_number = last_number + 1 WHERE id = 1 RETURNING last_number"
    return try connection.withStatement(take) { statement in
      guard try statement.step() else {
        throw StorageError(
          .corrupt, "held snapshots have no last number", statement: take,
          remedy: "restore the table held_number from a backup")
      }
      let number = statement.integer(0)
      while try statement.step() {}
      return number
    }
  }

  /// Those behind an id, in the order of their ids.
  static func page(after: Int64, limit: Int, _ connection: Connection) throws -> [HeldSnapshot] {
    try connection.withStatement("\(select) WHERE id > ?1 ORDER BY id LIMIT ?2") { statement in
      try statement.bind(after, at: 1)
      try statement.bind(Int64(limit), at: 2)
      var found: [HeldSnapshot] = []
      while try statement.step() { found.append(try Self.held(statement)) }
      return found
    }
  }

  static func find(_ id: Int64, _ connection: Connection) throws -> HeldSnapshot? {
    try connection.withStatement("\(select) WHERE id = ?1") { statement in
      try statement.bind(id, at: 1)
      return try statement.step() ? try held(statement) : nil
    }
  }

  /// What was held, by its rows and by what was wrong with others; nothing when it is gone.
  static func content(
    of id: Int64, _ connection: Connection
  ) throws -> (message: Omsconnector.V1.StockSnapshot, issues: Omsconnector.V1.ApplyStockSnapshotResponse) {
    try connection.withStatement("SELECT body, issues FROM held_snapshot WHERE id = ?1") { statement in
      try statement.bind(id, at: 1)
      guard try statement.step() else { return (.init(), .init()) }
      return (try .init(serialized: statement.blob(0)), try .init(serialized: statement.blob(1)))
    }
  }

  /// Those that are one snapshot from the future: the parts of a NONZERO, which can't be told of one by one, since what one leaves
  /// out another one names; else the one alone.
  static func parts(of held: HeldSnapshot, _ connection: Connection) throws -> [Int64] {
    guard held.reason == .future, held.mode == .nonzero else { return [held.id] }
    return try connection.withStatement(
      "SELECT id FROM held_snapshot WHERE \(sameSnapshot) AND mode = ?4 ORDER BY id"
    ) { statement in
      try bind(held.aggregateId, held.createdOn, statement)
      try statement.bind(held.mode.number, at: 4)
      var ids: [Int64] = []
      while try statement.step() { ids.append(statement.integer(0)) }
      return ids
    }
  }

  /// When the first one from the future that has this time came; nanoseconds since 1970.
  static func firstHeldAt(_ held: HeldSnapshot, _ connection: Connection) throws -> Int64 {
    try connection.withStatement("SELECT MIN(held_at) FROM held_snapshot WHERE \(sameSnapshot)") { statement in
      try bind(held.aggregateId, held.createdOn, statement)
      return try statement.step() && !statement.isNull(0) ? statement.integer(0) : held.heldAt
    }
  }

  /// Whether further parts of a NONZERO that was released wait.
  static func hasParts(of run: NonzeroRun, of aggregateId: String, _ connection: Connection) throws -> Bool {
    for origin in try ReleasedSnapshots.origins(of: run.createdOn, in: aggregateId, connection) {
      let isHeld = try connection.withStatement(
        "SELECT COUNT(*) FROM held_snapshot WHERE \(sameSnapshot) AND mode = ?4"
      ) { statement in
        try bind(aggregateId, origin, statement)
        try statement.bind(SnapshotMode.nonzero.number, at: 4)
        return try statement.step() && statement.integer(0) > 0
      }
      if isHeld { return true }
    }
    return false
  }

  private static let sameSnapshot = "aggregate_id = ?1 AND created_on = ?2 AND reason = ?3"

  private static func bind(_ aggregateId: String, _ createdOn: CreatedOn, _ statement: Statement) throws(StorageError) {
    try statement.bind(aggregateId, at: 1)
    try statement.bind(createdOn.nanoseconds, at: 2)
    try statement.bind(HeldReason.future.rawValue, at: 3)
  }

  static func remove(_ id: Int64, _ connection: Connection) throws {
    try connection.withStatement("DELETE FROM held_snapshot WHERE id = ?1") { statement in
      try statement.bind(id, at: 1)
      _ = try statement.run()
    }
  }

  static func count(_ connection: Connection) throws -> Int64 {
    try connection.withStatement("SELECT COUNT(*) FROM held_snapshot") { statement in
      try statement.step() ? statement.integer(0) : 0
    }
  }

  private static func held(_ statement: Statement) throws(StorageError) -> HeldSnapshot {
    HeldSnapshot(
      id: statement.integer(0), aggregateId: statement.text(1),
      mode: try statement.value(
        2, of: "the mode of held snapshot \(statement.integer(0))", as: SnapshotMode.init(number:)),
      createdOn: CreatedOn(nanoseconds: statement.integer(3)),
      reason: try statement.value(4, of: "the reason of held snapshot \(statement.integer(0))"),
      explanation: statement.text(5),
      skus: statement.integer(6), zeros: statement.integer(7), heldAt: statement.integer(8))
  }

  private static let select =
    "SELECT id, aggregate_id, mode, created_on, reason, explanation, skus, zeros, held_at FROM held_snapshot"
}

extension Omsconnector.V1.StockSnapshot {
  /// Its valid rows.
  init(_ snapshot: StockSnapshot) {
    self.init(
      aggregateId: snapshot.aggregateId, mode: .init(snapshot.mode), createdOn: .init(snapshot.createdOn),
      stock: snapshot.rows.map { .init(sku: $0.sku, quantity: $0.quantity, unlimited: $0.unlimited) })
  }
}

extension Omsconnector.V1.SnapshotMode {
  init(_ mode: SnapshotMode) {
    switch mode {
    case .full: self = .full
    case .delta: self = .delta
    case .nonzero: self = .nonzero
    }
  }
}
