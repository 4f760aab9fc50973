import Messages
import ServiceKit
import Storage

/// The OMS's sources, as it last told them.
struct SourceStore: Sendable {
  let database: Database

  init(_ database: Database) { self.database = database }

  /// - Parameter now: nanoseconds since 1970.
  static func put(
    _ source: Magento.Oms.V1.Source, _ connection: Connection, at now: Int64, unlessChangedSince since: Int64? = nil
  ) throws {
    let kept = Omsconnector.V1.Source(source)
    try connection.withStatement(
      """
      INSERT INTO oms_source (source_id, body, deleted, updated_at) VALUES (?1, ?2, 0, ?3)
      ON CONFLICT (source_id) DO UPDATE SET body = excluded.body, deleted = 0, updated_at = excluded.updated_at
      WHERE oms_source.updated_at < ?4
      """
    ) { statement in
      try statement.bind(kept.sourceId, at: 1)
      try statement.bind(kept.serialized(), at: 2)
      try statement.bind(now, at: 3)
      try statement.bind(since ?? .max, at: 4)
      _ = try statement.run()
    }
  }

  /// One that was never seen is not noted.
  static func delete(_ id: String, _ connection: Connection, at now: Int64) throws {
    try connection.withStatement(
      "UPDATE oms_source SET deleted = 1, updated_at = ?2 WHERE source_id = ?1 AND deleted = 0"
    ) { statement in
      try statement.bind(id, at: 1)
      try statement.bind(now, at: 2)
      _ = try statement.run()
    }
  }

  /// Takes over what a search has answered. What a message has said since the search began is newer.
  ///
  /// - Parameter isComplete: whether what it does not name is gone.
  func replace(
    with sources: [Magento.Oms.V1.Source], isComplete: Bool = true, askedAt: Int64, at now: Int64
  ) async throws {
    try await database.write(weight: max(1, sources.count)) { connection in
      for source in sources { try Self.put(source, connection, at: now, unlessChangedSince: askedAt) }
      guard isComplete else { return }
      let named = Set(sources.map(\.id))
      let gone = try connection.withStatement(
        "SELECT source_id FROM oms_source WHERE deleted = 0 AND updated_at < ?1"
      ) { statement in
        try statement.bind(askedAt, at: 1)
        var gone: [String] = []
        while try statement.step() { gone.append(statement.text(0)) }
        return gone.filter { !named.contains($0) }
      }
      for id in gone { try Self.delete(id, connection, at: now) }
    }
  }

  /// A page in the order of the ids' bytes.
  func page(after: String, limit: Int) async throws -> (sources: [Omsconnector.V1.Source], isLast: Bool) {
    try await database.read { connection in
      try connection.withStatement(
        "SELECT body, deleted, updated_at FROM oms_source WHERE source_id > ?1 ORDER BY source_id LIMIT ?2"
      ) { statement in
        try statement.bind(after, at: 1)
        try statement.bind(Int64(limit) + 1, at: 2)
        var sources: [Omsconnector.V1.Source] = []
        while try statement.step() {
          if sources.count == limit { return (sources, false) }
          var source = try Omsconnector.V1.Source(serialized: statement.blob(0))
          source.deleted = statement.bool(1)
          source.updatedAt = .init(nanosecondsSinceEpoch: statement.integer(2))
          sources.append(source)
        }
        return (sources, true)
      }
    }
  }
}

extension Omsconnector.V1.Source {
  init(_ source: Magento.Oms.V1.Source) {
    self.init(
      sourceId: source.id, name: source.name, type: source.type, aggregateIds: source.aggregateIds,
      active: source.configurations?.active ?? false,
      acceptsReturns: source.configurations?.capabilities?.acceptsReturns ?? false)
  }
}
