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

  static func holdFuture(
    _ snapshot: StockSnapshot, _ connection: Connection, now: Int64
  ) throws -> SnapshotOutcome {
    let body = Omsconnector.V1.StockSnapshot(snapshot).serialized()
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
        skus: Int64(snapshot.rows.count), zeros: 0, heldAt: now, body: body), identity: body, connection)
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
        skus: run.named, zeros: zeros, heldAt: now, body: body.serialized()), identity: [], connection)
  }

  /// - Returns: its id; that of the same one when it is held already.
  private static func hold(_ held: HeldSnapshot, identity: [UInt8], _ connection: Connection) throws -> Int64 {
    let digest = SHA256.digest(ofParts: [
      Array("\(held.reason.rawValue) \(held.createdOn.nanoseconds)".utf8), identity,
    ])
    return try connection.withStatement(
      """
      INSERT INTO held_snapshot
        (aggregate_id, digest, mode, created_on, reason, explanation, skus, zeros, held_at, body)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE (SELECT COUNT(*) FROM held_snapshot) < ?11
      ON CONFLICT (aggregate_id, digest) DO UPDATE SET
        explanation = excluded.explanation, skus = excluded.skus, zeros = excluded.zeros, body = excluded.body
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
      try statement.bind(held.body, at: 10)
      try statement.bind(Int64(limit), at: 11)
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

  /// Those behind an id, in the order of their ids.
  static func page(after: Int64, limit: Int, _ connection: Connection) throws -> [HeldSnapshot] {
    try connection.withStatement("\(select) WHERE id > ?1 ORDER BY id LIMIT ?2") { statement in
      try statement.bind(after, at: 1)
      try statement.bind(Int64(limit), at: 2)
      var found: [HeldSnapshot] = []
      while try statement.step() { found.append(Self.held(statement)) }
      return found
    }
  }

  static func find(_ id: Int64, _ connection: Connection) throws -> HeldSnapshot? {
    try connection.withStatement("\(select) WHERE id = ?1") { statement in
      try statement.bind(id, at: 1)
      return try statement.step() ? held(statement) : nil
    }
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

  private static func held(_ statement: Statement) -> HeldSnapshot {
    HeldSnapshot(
      id: statement.integer(0), aggregateId: statement.text(1), mode: SnapshotMode(number: statement.integer(2)),
      createdOn: CreatedOn(nanoseconds: statement.integer(3)),
      reason: HeldReason(rawValue: statement.integer(4)) ?? .future, explanation: statement.text(5),
      skus: statement.integer(6), zeros: statement.integer(7), heldAt: statement.integer(8), body: statement.blob(9))
  }

  private static let select =
    "SELECT id, aggregate_id, mode, created_on, reason, explanation, skus, zeros, held_at, body FROM held_snapshot"
}

enum HeldReason: Int64, Sendable {
  case future = 1
  case manyZeros = 2
}

/// A snapshot that waits for the operator, or the zeroing that one asks for.
struct HeldSnapshot: Sendable, Equatable {
  let id: Int64
  let aggregateId: String
  let mode: SnapshotMode
  let createdOn: CreatedOn
  let reason: HeldReason
  /// In words, with figures.
  let explanation: String
  let skus: Int64
  let zeros: Int64
  /// Nanoseconds since 1970.
  let heldAt: Int64
  /// `omsconnector.v1.StockSnapshot`: of one from the future, its rows; of many zeros, the SKUs that are not left out.
  let body: [UInt8]
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
