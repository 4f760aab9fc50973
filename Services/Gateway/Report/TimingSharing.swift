import Messages
import ServiceKit
import Storage

/// The calls of each gateway on a store, for the one of them that keeps the history of timings.
struct TimingSharing: Sendable {
  /// What a gateway that is gone has left is read long before.
  private static let memory: Int64 = 3_600_000_000_000

  let database: Database

  /// - Parameters:
  ///   - instance: unique to this start of this gateway.
  ///   - entries: since its start.
  func put(_ instance: String, _ entries: [Timings.Entry], now: WallTime) async throws {
    let sql = """
      INSERT INTO gateway_timing (instance, kind, name, histogram, seen_at) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (instance, kind, name) DO UPDATE SET histogram = excluded.histogram, seen_at = excluded.seen_at
      """
    try await database.write(weight: max(1, entries.count)) { connection in
      try connection.withStatement(sql) { statement in
        for entry in entries {
          try statement.bind(instance, at: 1)
          try statement.bind(Int64(entry.kind.rawValue), at: 2)
          try statement.bind(entry.endpoint, at: 3)
          try statement.bind(entry.histogram.message(kind: entry.kind, endpoint: entry.endpoint).serialized(), at: 4)
          try statement.bind(now.nanoseconds, at: 5)
          try statement.run()
        }
      }
    }
  }

  /// What other gateways have put, by instance; those that are long gone are forgotten.
  func others(than instance: String, now: WallTime) async throws -> [String: [Timings.Entry]] {
    let found = try await database.read { connection in
      let sql = "SELECT instance, kind, name, histogram, seen_at FROM gateway_timing WHERE instance <> ?1"
      return try connection.withStatement(sql) { statement in
        try statement.bind(instance, at: 1)
        var found: (entries: [String: [Timings.Entry]], isOld: Bool) = ([:], false)
        while try statement.step() {
          if statement.integer(4) < now.nanoseconds - Self.memory { found.isOld = true }
          guard let number = Int32(exactly: statement.integer(1)), let kind = Timings.Kind(rawValue: number) else {
            continue
          }
          let histogram = try Histogram(Omsconnector.Internal.V1.EndpointHistogram(serialized: statement.blob(3)))
          found.entries[statement.text(0), default: []].append(
            Timings.Entry(kind: kind, endpoint: statement.text(2), histogram: histogram))
        }
        return found
      }
    }
    if found.isOld {
      try await database.write { connection in
        try connection.withStatement("DELETE FROM gateway_timing WHERE seen_at < ?1") { statement in
          try statement.bind(now.nanoseconds - Self.memory, at: 1)
          try statement.run()
        }
      }
    }
    return found.entries
  }
}
