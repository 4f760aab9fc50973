import ServiceKit
import Storage

/// Readings of the whole catalog in the store. One runs at a time.
struct RunStore: Sendable {
  /// Runs that are kept, the one that runs included.
  static let kept = 20
  static let key = "catalog runs"

  let database: Database

  /// The one that runs; nil when none does.
  func current() async throws -> CatalogRun? { try await database.read { try Self.current($0) } }

  func run(_ id: Int64) async throws -> CatalogRun? { try await database.read { try Self.run($0, id) } }

  /// The one that was begun last.
  func last() async throws -> CatalogRun? { try await database.read { try Self.last($0) } }

  /// What could not be exported, the first of it.
  func issues(of id: Int64) async throws -> [Issue] {
    try await database.read { connection in
      try connection.withStatement(
        "SELECT sku, place, reason FROM catalog_run_issue WHERE run = ?1 ORDER BY place LIMIT ?2"
      ) { statement in
        try statement.bind(id, at: 1)
        try statement.bind(Int64(CatalogRules.issues), at: 2)
        var issues: [Issue] = []
        while try statement.step() {
          issues.append(
            Issue(sku: statement.text(0), place: Int(statement.integer(1)), reason: statement.text(2)))
        }
        return issues
      }
    }
  }

  /// Joins the full export that runs, or starts one; a reconciliation gives way to it.
  func startFull() async throws -> CatalogRun {
    try await database.write(key: Self.key) { connection in
      if let run = try Self.current(connection) {
        if run.kind == .full { return run }
        try Self.update(connection, run.id, "state = 'replaced'") { _ in }
      }
      return try Self.insert(connection, .full)
    }
  }

  /// Starts a reconciliation when none of either kind was begun for so long. The first is due that long after the store was made:
  /// polling reads all that there is then.
  func startReconciliation(every interval: Duration) async throws -> CatalogRun? {
    let due = WallClock.nanoseconds() - Int64(clamping: interval.nanoseconds)
    let last = try await database.read { try Self.last($0) }
    if let last, last.state == .running || last.startedAt > due { return nil }
    return try await database.write(key: Self.key) { connection in
      guard let last = try Self.last(connection) else {
        let run = try Self.insert(connection, .reconciliation)
        try Self.update(connection, run.id, "state = 'done'") { _ in }
        return nil
      }
      guard last.state != .running, last.startedAt <= due else { return nil }
      return try Self.insert(connection, .reconciliation)
    }
  }

  /// Notes why a run waits; empty when it goes on.
  func note(_ id: Int64, reason: String) async throws {
    try await database.write(key: Self.key) { connection in
      try Self.update(connection, id, "reason = ?2") { try $0.bind(quotable(reason), at: 2) }
    }
  }

  // MARK: Within a transaction

  /// - Parameter bind: binds the parameters from 2 on.
  /// - Throws: ``RunReplaced`` when it does not run any more.
  static func update(
    _ connection: Connection, _ id: Int64, _ assignments: String, _ bind: (Statement) throws -> Void
  ) throws {
    let count = try connection.withStatement(
      "UPDATE catalog_run SET \(assignments) WHERE id = ?1 AND state = 'running'"
    ) { statement in
      try statement.bind(id, at: 1)
      try bind(statement)
      return try statement.run()
    }
    if count == 0 { throw RunReplaced() }
  }

  private static func insert(_ connection: Connection, _ kind: CatalogRun.Kind) throws -> CatalogRun {
    let id = (try last(connection)?.id ?? 0) + 1
    var run = CatalogRun(id: id, kind: kind, startedAt: WallClock.nanoseconds())
    run.known = try DeletionGuard.known(connection)
    try connection.withStatement(
      """
      INSERT INTO catalog_run (\(CatalogRun.columns)) VALUES (?1, ?2, 'running', 0, 0, 0, 0, 0, 0, 0, '', ?3, ?4)
      """
    ) { statement in
      try statement.bind(run.id, at: 1)
      try statement.bind(kind.rawValue, at: 2)
      try statement.bind(run.startedAt, at: 3)
      try statement.bind(Int64(run.known), at: 4)
      _ = try statement.run()
    }
    for (table, column) in [("catalog_run", "id"), ("catalog_run_issue", "run"), ("catalog_run_missing", "run")] {
      try connection.withStatement("DELETE FROM \(table) WHERE \(column) <= ?1") { statement in
        try statement.bind(id - Int64(Self.kept), at: 1)
        _ = try statement.run()
      }
    }
    return run
  }

  private static func current(_ connection: Connection) throws -> CatalogRun? {
    try one(connection, "WHERE state = 'running' ORDER BY id DESC LIMIT 1") { _ in }
  }

  private static func last(_ connection: Connection) throws -> CatalogRun? {
    try one(connection, "ORDER BY id DESC LIMIT 1") { _ in }
  }

  static func run(_ connection: Connection, _ id: Int64) throws -> CatalogRun? {
    try one(connection, "WHERE id = ?1") { try $0.bind(id, at: 1) }
  }

  private static func one(
    _ connection: Connection, _ condition: String, _ bind: (Statement) throws -> Void
  ) throws -> CatalogRun? {
    try connection.withStatement("SELECT \(CatalogRun.columns) FROM catalog_run \(condition)") { statement in
      try bind(statement)
      guard try statement.step() else { return nil }
      let run = try CatalogRun(statement)
      while try statement.step() {}
      return run
    }
  }
}

/// Another run was asked for, or another replica has ended this one.
struct RunReplaced: Error, CustomStringConvertible {
  var description: String { "the run was replaced, or ended by another replica" }
}
