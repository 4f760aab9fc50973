import ServiceKit
import Storage

/// What taking over products has done.
struct TakeOverOutcome: Sendable, Equatable {
  /// Messages for the OMS.
  var exported = 0
  var unchanged = 0
  /// Older than what is known: another reading was faster.
  var stale = 0
  /// Made INACTIVE.
  var deactivated = 0
  /// Not made INACTIVE, because they are too many.
  var held = 0

  static func += (sum: inout TakeOverOutcome, other: TakeOverOutcome) {
    sum.exported += other.exported
    sum.unchanged += other.unchanged
    sum.stale += other.stale
    sum.deactivated += other.deactivated
    sum.held += other.held
  }
}

extension CatalogStore {
  /// Takes over products in one transaction, with the messages for the OMS.
  ///
  /// - Parameters:
  ///   - sendsAll: whether the OMS is sent what has not changed, too.
  ///   - alongside: what else belongs into the transaction; it may throw to take all of it back.
  func takeOver(
    _ entries: [CatalogEntry], sendsAll: Bool = false, facts: ShopFacts = ShopFacts(),
    alongside: @escaping @Sendable (Connection, TakeOverOutcome) throws -> Void = { _, _ in }
  ) async throws -> TakeOverOutcome {
    try await enqueueTakeOver(entries, sendsAll: sendsAll, facts: facts, alongside: alongside).value()
  }

  /// The same without waiting.
  func enqueueTakeOver(
    _ entries: [CatalogEntry], sendsAll: Bool, facts: ShopFacts,
    alongside: @escaping @Sendable (Connection, TakeOverOutcome) throws -> Void
  ) throws -> PendingResult<TakeOverOutcome> {
    let entries = Self.lastOfEach(entries)
    return try database.enqueueWrite(weight: 1 + entries.reduce(0) { $0 + $1.weight }, key: Self.key) { connection in
      let outcome = try takeOver(connection, entries, sendsAll: sendsAll, facts: facts)
      try alongside(connection, outcome)
      return outcome
    }
  }

  /// Tells the OMS that these are gone, those of them that are known and not INACTIVE yet. How many that may be is for who asks to
  /// know, see ``DeletionGuard``.
  ///
  /// - Parameter ids: the shop's ids by which the OMS knows them, of SKUs that have lost theirs.
  func deactivate(
    _ connection: Connection, skus: [String], ids: [String: Int64] = [:], facts: ShopFacts,
    now: Int64 = WallClock.nanoseconds()
  ) throws -> TakeOverOutcome {
    let known = try Self.known(connection, skus: skus).values.sorted { $0.row.sku < $1.row.sku }
    let gone = known.filter { $0.row.status != ProductStatus.inactive.rawValue }.map { product in
      let (id, sku) = (product.row.productID, product.row.sku)
      return CatalogEntry(gone: product, toldAs: id > 0 ? id : ids[sku] ?? 0, facts)
    }
    try upsert(connection, gone.map { ($0, now) }, now: now)
    try outbox.addAll(connection, gone.map(\.message), now: now)
    try HeldProduct.release(connection, skus: skus)
    return TakeOverOutcome(unchanged: known.count - gone.count, deactivated: gone.count)
  }

  /// The same in a transaction that is open already.
  ///
  /// - Parameter entries: each of another SKU.
  func takeOver(
    _ connection: Connection, _ entries: [CatalogEntry], sendsAll: Bool, facts: ShopFacts
  ) throws -> TakeOverOutcome {
    let now = WallClock.nanoseconds()
    var outcome = TakeOverOutcome()
    let known = try Self.rows(connection, skus: entries.map(\.sku))
    var changed: [(entry: CatalogEntry, exportedAt: Int64)] = []
    var messages: [OutboxMessage] = []
    for entry in entries {
      var exportedAt = now
      if let row = known[entry.sku] {
        // Two readings may overtake each other; whole seconds that are the same are settled by the poll's overlap.
        if let updatedAt = entry.updatedAt, updatedAt < row.updatedAt, entry.productID == row.productID {
          outcome.stale += 1
          continue
        }
        if row.content == entry.content, !sendsAll {
          outcome.unchanged += 1
          exportedAt = row.exportedAt
          let new = CatalogRow(entry, children: JSONList.text(of: entry.children), exportedAt: exportedAt)
          if new != row { changed.append((entry, exportedAt)) }
          continue
        }
      }
      outcome.exported += 1
      changed.append((entry, exportedAt))
      messages.append(entry.message)
    }
    (outcome.deactivated, outcome.held) = try retireOldSKUs(of: entries, connection, facts, now)
    try HeldProduct.release(connection, skus: entries.map(\.sku))
    try upsert(connection, changed, now: now)
    try outbox.addAll(connection, messages, now: now)
    return outcome
  }

  /// A product with another SKU than before: for the OMS the old one is gone. It is told so before it hears of the new one, unless
  /// too many are: another shop has the same ids for other products.
  private func retireOldSKUs(
    of entries: [CatalogEntry], _ connection: Connection, _ facts: ShopFacts, _ now: Int64
  ) throws -> (deactivated: Int, held: Int) {
    let skus = Set(entries.map(\.sku))
    // Two products may have changed their SKUs: then the old SKU is another one's, which comes too.
    let old = try Self.rows(connection, ids: entries.map(\.productID)).filter { !skus.contains($0.sku) }
    if old.isEmpty { return (0, 0) }
    let active = old.filter { $0.status != ProductStatus.inactive.rawValue }
    guard try active.isEmpty || DeletionGuard.allows(connection, active.count, now: now) else {
      let newSKUs = Dictionary(entries.map { ($0.productID, $0.sku) }) { _, last in last }
      try HeldProduct.hold(
        connection, renamed: active.map { ($0, newSKUs[$0.productID] ?? "") }, now: now)
      // The id is the new SKU's, as the shop says, whatever becomes of the old one.
      try Self.removeIDs(connection, old.map(\.sku))
      return (0, active.count)
    }
    let known = try Self.known(connection, skus: old.map(\.sku)).values.sorted { $0.row.sku < $1.row.sku }
    let gone = known.map { product in
      var entry = CatalogEntry(gone: product, toldAs: product.row.productID, facts)
      entry.productID = 0
      return (product.row, entry)
    }
    try upsert(connection, gone.map { ($0.1, now) }, now: now)
    let told = gone.filter { $0.0.status != ProductStatus.inactive.rawValue }
    try outbox.addAll(connection, told.map(\.1.message), now: now)
    return (told.count, 0)
  }

  private static func removeIDs(_ connection: Connection, _ skus: [String]) throws {
    try connection.withStatement("UPDATE product SET product_id = 0 WHERE \(isAmong("sku", connection.engine))") {
      try $0.bind(JSONList.text(of: skus), at: 1)
      _ = try $0.run()
    }
  }

  private static let upsertSQL = """
    INSERT INTO product (\(CatalogRow.columns), recorded_at, told)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (sku) DO UPDATE SET
      product_id = excluded.product_id, origin = excluded.origin, type = excluded.type, name = excluded.name,
      status = excluded.status, price = excluded.price, currency = excluded.currency, image_url = excluded.image_url,
      ships_together = excluded.ships_together, children = excluded.children, content = excluded.content,
      exported_at = excluded.exported_at, updated_at = excluded.updated_at, recorded_at = excluded.recorded_at,
      told = excluded.told
    """

  private func upsert(
    _ connection: Connection, _ entries: [(entry: CatalogEntry, exportedAt: Int64)], now: Int64
  ) throws {
    if entries.isEmpty { return }
    try connection.withStatement(Self.upsertSQL) { statement throws(StorageError) in
      try statement.bind(now, at: 15)
      try statement.runEach(
        entries, text: { $0.entry.sku }, at: 1,
        bind: { entry, exportedAt throws(StorageError) in
          try statement.bind(entry.productID, at: 2)
          try statement.bind(entry.origin.rawValue, at: 3)
          try statement.bind(entry.type, at: 4)
          try statement.bind(entry.name, at: 5)
          try statement.bind(entry.status.rawValue, at: 6)
          try statement.bind(entry.price?.text ?? "", at: 7)
          try statement.bind(entry.currency, at: 8)
          try statement.bind(entry.imageURL, at: 9)
          try statement.bind(entry.shipsTogether, at: 10)
          try statement.bind(JSONList.text(of: entry.children), at: 11)
          try statement.bind(entry.content, at: 12)
          try statement.bind(exportedAt, at: 13)
          try statement.bind(entry.updatedAt ?? 0, at: 14)
          try statement.bind(entry.told, at: 16)
        }, changed: { _, _ in })
    }
  }

  /// A SKU that is there twice counts as it was last.
  static func lastOfEach(_ entries: [CatalogEntry]) -> [CatalogEntry] {
    var seen: Set<[UInt8]> = []
    // By bytes: texts that Unicode holds for equal may be different SKUs.
    let last = entries.reversed().filter { seen.insert(Array($0.sku.utf8)).inserted }
    return last.reversed()
  }
}
