import Commerce
import ServiceKit
import Storage

extension CatalogReading {
  /// Makes INACTIVE what was not where it should have been, after the shop has been asked for it once more; or holds it, when it
  /// is too much (``DeletionGuard``).
  ///
  /// - Returns: why that was not done; empty when it was.
  func tellWhatIsGone() async throws -> String {
    let missing = try await runs.missing(run.id)
    if missing.isEmpty { return "" }
    if let reason = try await hold(missing.count) { return reason }
    let part = ShopReader.idsPerRequest
    for start in stride(from: 0, to: missing.count, by: part) {
      let ids = Array(missing[start..<min(start + part, missing.count)])
      let present = try await intake.reader.fields("sku", of: ids)
      let facts = try await intake.reader.facts.current()
      try await deactivate(ids, except: Set(present.keys), facts)
    }
    return ""
  }

  /// - Returns: nil when it is not too much.
  private func hold(_ count: Int) async throws -> String? {
    let (run, lease) = (run, lease)
    return try await intake.store.database.write(weight: 2 * count, key: CatalogStore.key) { connection in
      guard try lease.renew(connection, for: Self.hold) != nil else { throw RunTakenOver() }
      // What the run itself has found for the first time says nothing of what was there before.
      let now = WallClock.nanoseconds()
      guard try !DeletionGuard.allows(connection, count, of: run.known, now: now) else { return nil }
      let held = try HeldProduct.hold(connection, missingIn: run.id, now: now)
      return "\(held) of \(run.known) active products are gone from the shop, which makes more than "
        + "\(DeletionGuard.limit.percent) % within a day: they are left as they are; check COMMERCE_URL, then decide: "
        + "omsctl catalog held"
    }
  }

  private func deactivate(_ ids: [Int64], except present: Set<Int64>, _ facts: ShopFacts) async throws {
    let (run, lease, store) = (run, lease, intake.store)
    let count = try await store.database.write(weight: 2 * ids.count, key: CatalogStore.key) { connection in
      guard try lease.renew(connection, for: Self.hold) != nil else { throw RunTakenOver() }
      let gone = try CatalogStore.rows(connection, ids: ids.filter { !present.contains($0) })
      let outcome = try store.deactivate(connection, skus: gone.map(\.sku), facts: facts)
      try RunStore.removeMissing(connection, run.id, ids)
      try RunStore.update(connection, run.id, "deactivated = deactivated + ?2, reason = ''") {
        try $0.bind(Int64(outcome.deactivated), at: 2)
      }
      return outcome.deactivated
    }
    if count > 0 { intake.added() }
  }
}

extension RunStore {
  /// Products that were not found, by their ids.
  func missing(_ id: Int64) async throws -> [Int64] {
    try await database.read { connection in
      try connection.withStatement(
        "SELECT product_id FROM catalog_run_missing WHERE run = ?1 ORDER BY product_id"
      ) { statement in
        try statement.bind(id, at: 1)
        var ids: [Int64] = []
        while try statement.step() { ids.append(statement.integer(0)) }
        return ids
      }
    }
  }

  static func removeMissing(_ connection: Connection, _ id: Int64, _ products: [Int64]) throws {
    try connection.withStatement("DELETE FROM catalog_run_missing WHERE run = ?1 AND product_id = ?2") { statement in
      try statement.bind(id, at: 1)
      for product in products {
        try statement.bind(product, at: 2)
        _ = try statement.run()
      }
    }
  }

  /// - Parameter reason: what was left undone; empty for nothing.
  func finish(_ id: Int64, reason: String) async throws {
    try await database.write(key: Self.key) { connection in
      try connection.withStatement("DELETE FROM catalog_run_missing WHERE run = ?1") { statement in
        try statement.bind(id, at: 1)
        _ = try statement.run()
      }
      try Self.update(connection, id, "state = 'done', reason = ?2") { try $0.bind(reason, at: 2) }
    }
  }
}
