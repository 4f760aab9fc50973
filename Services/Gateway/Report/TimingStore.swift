import Messages
import ServiceKit
import Storage

/// Where the history of timings survives a restart.
protocol TimingStorage: Sendable {
  /// Everything, or the newest `limit` histograms of hours, whole hours only.
  func load(limit: Int) async throws -> TimingHistory.Saved
  /// All in one transaction.
  func save(_ changes: TimingHistory.Changes) async throws
  /// Deletes one hour that is older.
  /// - Returns: false when there was none.
  func dropHour(before hour: Int64) async throws -> Bool
}

/// The history of timings in the gateway's store.
struct TimingStore: TimingStorage {
  private let database: Database

  init(_ database: Database) { self.database = database }

  func load(limit: Int) async throws -> TimingHistory.Saved {
    try await database.read { connection in
      .init(hours: try Self.hours(connection, limit), counters: try Self.counters(connection))
    }
  }

  private static func hours(_ connection: Connection, _ limit: Int) throws -> [TimingHistory.Changes.HourRow] {
    let sql = "SELECT hour, service, kind, name, histogram FROM timing_hour ORDER BY hour DESC LIMIT ?1"
    return try connection.withStatement(sql) { statement in
      try statement.bind(Int64(limit) + 1, at: 1)
      var rows: [TimingHistory.Changes.HourRow] = []
      while try statement.step() {
        guard let endpoint = endpoint(statement, column: 1), let histogram = histogram(statement.blob(4)) else {
          continue
        }
        rows.append(.init(hour: statement.integer(0), endpoint: endpoint, histogram: histogram))
      }
      // Of the last hour there may be more.
      if rows.count > limit, let last = rows.last { rows.removeAll { $0.hour == last.hour } }
      return rows
    }
  }

  /// At most as many as the history's limits have let in.
  private static func counters(_ connection: Connection) throws -> [TimingHistory.Changes.CounterRow] {
    let sql = "SELECT service, kind, name, histogram, instance, seen_at FROM timing_counter"
    return try connection.withStatement(sql) { statement in
      var rows: [TimingHistory.Changes.CounterRow] = []
      while try statement.step() {
        guard let endpoint = endpoint(statement, column: 0), let histogram = histogram(statement.blob(3)) else {
          continue
        }
        rows.append(
          .init(
            process: .init(service: endpoint.service, instance: statement.text(4)), endpoint: endpoint,
            histogram: histogram, seenAt: WallTime(nanoseconds: statement.integer(5))))
      }
      return rows
    }
  }

  /// From three columns: service, kind, name. A kind that this version does not know is left in the store.
  private static func endpoint(_ statement: Statement, column: Int32) -> TimingHistory.Endpoint? {
    guard let number = Int32(exactly: statement.integer(column + 1)), let kind = Timings.Kind(rawValue: number) else {
      return nil
    }
    return .init(service: statement.text(column), kind: kind, name: statement.text(column + 2))
  }

  private static func histogram(_ bytes: [UInt8]) -> Omsconnector.Internal.V1.EndpointHistogram? {
    do {
      return try .init(serialized: bytes)
    } catch {
      Log.error("timings in the store make no sense and are left out", ["reason": LogValue(error)])
      return nil
    }
  }

  func save(_ changes: TimingHistory.Changes) async throws {
    try await database.write(weight: max(1, changes.count)) { connection in
      try Self.forget(changes.forgotten, connection)
      try Self.write(changes.hours, connection)
      try Self.write(changes.counters, connection)
    }
  }

  private static func forget(_ processes: Set<TimingHistory.ProcessID>, _ connection: Connection) throws {
    guard !processes.isEmpty else { return }
    try connection.withStatement("DELETE FROM timing_counter WHERE service = ?1 AND instance = ?2") { statement in
      for process in processes {
        try statement.bind(process.service, at: 1)
        try statement.bind(process.instance, at: 2)
        try statement.run()
      }
    }
  }

  private static func write(_ rows: [TimingHistory.Changes.HourRow], _ connection: Connection) throws {
    let sql = """
      INSERT INTO timing_hour (hour, service, kind, name, histogram) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (hour, service, kind, name) DO UPDATE SET histogram = excluded.histogram
      """
    try connection.withStatement(sql) { statement in
      for row in rows {
        try statement.bind(row.hour, at: 1)
        try bind(row.endpoint, row.histogram, at: 2, statement)
        try statement.run()
      }
    }
  }

  private static func write(_ rows: [TimingHistory.Changes.CounterRow], _ connection: Connection) throws {
    let sql = """
      INSERT INTO timing_counter (instance, seen_at, service, kind, name, histogram) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      ON CONFLICT (service, instance, kind, name) DO UPDATE SET histogram = excluded.histogram, seen_at = excluded.seen_at
      """
    try connection.withStatement(sql) { statement in
      for row in rows {
        try statement.bind(row.process.instance, at: 1)
        try statement.bind(row.seenAt.nanoseconds, at: 2)
        try bind(row.endpoint, row.histogram, at: 3, statement)
        try statement.run()
      }
    }
  }

  private static func bind(
    _ endpoint: TimingHistory.Endpoint, _ histogram: Omsconnector.Internal.V1.EndpointHistogram, at first: Int32,
    _ statement: Statement
  ) throws {
    try statement.bind(endpoint.service, at: first)
    try statement.bind(Int64(endpoint.kind.rawValue), at: first + 1)
    try statement.bind(endpoint.name, at: first + 2)
    try statement.bind(histogram.serialized(), at: first + 3)
  }

  /// An hour has as many rows as there are endpoints: little enough for one transaction.
  func dropHour(before hour: Int64) async throws -> Bool {
    try await database.write { connection in
      let sql = "DELETE FROM timing_hour WHERE hour = (SELECT min(hour) FROM timing_hour WHERE hour < ?1)"
      return try connection.withStatement(sql) { statement in
        try statement.bind(hour, at: 1)
        return try statement.run() > 0
      }
    }
  }
}
