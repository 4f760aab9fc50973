import Commerce
import ServiceKit
import Storage

extension CatalogReading {
  /// Of the known products so many may be gone, per cent, and so many in any case. More is the shop of somebody else, or a page
  /// that lacks what it should have, rather than a merchant who has cleared the shelves; as with stock (magento-rules.md §6) it
  /// is left to the operator.
  static let goneLimit = (percent: 20, count: 20)

  /// Makes INACTIVE what was not where it should have been, after the shop has been asked for it once more.
  ///
  /// - Returns: why that was not done; empty when it was.
  func tellWhatIsGone() async throws -> String {
    let (missing, known) = try await runs.missing(run.id)
    let limit = max(Self.goneLimit.count, known * Self.goneLimit.percent / 100)
    if missing.count > limit {
      return "\(missing.count) of \(known) active products are gone from the shop, which is more than "
        + "\(Self.goneLimit.percent) %: they are left as they are; check COMMERCE_URL, and if they are really gone, name them "
        + "to omsctl catalog export"
    }
    let part = ShopReader.idsPerRequest
    for start in stride(from: 0, to: missing.count, by: part) {
      let ids = Array(missing[start..<min(start + part, missing.count)])
      let present = try await intake.reader.fields("sku", of: ids)
      let facts = try await intake.reader.facts.current()
      try await deactivate(ids, except: Set(present.keys), facts)
    }
    return ""
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
  /// Products that were not found, by their ids, and how many the catalog has that are not INACTIVE.
  func missing(_ id: Int64) async throws -> (ids: [Int64], known: Int) {
    try await database.read { connection in
      let ids = try connection.withStatement(
        "SELECT product_id FROM catalog_run_missing WHERE run = ?1 ORDER BY product_id"
      ) { statement in
        try statement.bind(id, at: 1)
        var ids: [Int64] = []
        while try statement.step() { ids.append(statement.integer(0)) }
        return ids
      }
      let known = try connection.withStatement(
        "SELECT count(*) FROM product WHERE product_id > 0 AND status <> 'INACTIVE'"
      ) { statement in
        try statement.step() ? Int(statement.integer(0)) : 0
      }
      return (ids, known)
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
