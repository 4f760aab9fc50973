import ServiceKit
import Storage

extension CatalogStore {
  /// Rows that are looked at for one product; in a longer outbox anything may wait.
  static let lookedAt = Outbox.countLimit

  static let confirmationMigration = Migration(
    "which products the OMS has",
    // When the first message about it was known to be delivered, in nanoseconds since 1970; 0 before.
    sqlite: ["ALTER TABLE product ADD COLUMN confirmed_at INTEGER NOT NULL DEFAULT 0"],
    postgresql: ["ALTER TABLE product ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0"])

  /// Those of the products of which nobody knows yet whether the OMS has them.
  func unconfirmed(_ skus: [String]) async throws -> Set<String> {
    if skus.isEmpty { return [] }
    return try await database.read { connection in
      let sql = "SELECT sku FROM product WHERE confirmed_at = 0 AND \(Self.isAmong("sku", connection.engine))"
      return try connection.withStatement(sql) { statement in
        try statement.bind(JSONList.text(of: skus), at: 1)
        var found: Set<String> = []
        while try statement.step() { found.insert(statement.text(0)) }
        return found
      }
    }
  }

  /// Stores that the OMS has them.
  func confirm(_ skus: Set<String>, now: Int64 = WallClock.nanoseconds()) async throws {
    if skus.isEmpty { return }
    try await database.write(weight: skus.count, key: Self.key) { connection in
      let sql = "UPDATE product SET confirmed_at = ?2 WHERE \(Self.isAmong("sku", connection.engine))"
      try connection.withStatement(sql) { statement in
        try statement.bind(JSONList.text(of: skus.sorted()), at: 1)
        try statement.bind(now, at: 2)
        _ = try statement.run()
      }
    }
  }

  /// Those of the products whose messages are still here: in the outbox, or refused by the gateway. nil when more messages are than
  /// are looked at.
  func waiting(_ skus: Set<String>) async throws -> Set<String>? {
    try await database.read { connection in
      var found: Set<String> = []
      for rows in ["outbox", "outbox_refused WHERE state <> \(RefusedRow.State.retried.rawValue)"] {
        let sql = "SELECT message_key FROM \(rows) ORDER BY id LIMIT ?1"
        let isWhole = try connection.withStatement(sql) { statement in
          try statement.bind(Int64(Self.lookedAt) + 1, at: 1)
          var count = 0
          while try statement.step() {
            count += 1
            let key = statement.text(0)
            if skus.contains(key) { found.insert(key) }
          }
          return count <= Self.lookedAt
        }
        if !isWhole { return nil }
      }
      return found
    }
  }
}
