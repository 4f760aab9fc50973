import Messages
import ServiceKit
import Storage

extension StockStore {
  /// Applies what is held, or drops it. Many zeros: what the NONZERO left out becomes 0, by its own time, so that what has come
  /// since stays. From the future: its rows, as of when its first part came, for the same reason; of a NONZERO all parts, each in a
  /// transaction of its own. What they leave out is zeroed as ever, see ``NonzeroRun``.
  ///
  /// - Returns: what applying did; nil when it was dropped, or decided meanwhile.
  func decide(_ held: HeldSnapshot, apply: Bool) async throws -> SnapshotOutcome? {
    let ids = try await database.read { try HeldSnapshots.parts(of: held, $0) }
    let weight = max(1, min(Int(clamping: held.skus + held.zeros), SnapshotLimits.rows))
    var total: SnapshotOutcome?
    for id in ids {
      let outcome = try await database.write(weight: weight, key: held.aggregateId) { connection in
        try decide(id, apply: apply, isPart: ids.count > 1, connection)
      }
      guard let outcome else { continue }
      if total == nil { total = outcome } else { total?.add(outcome) }
    }
    return total
  }

  private func decide(
    _ id: Int64, apply: Bool, isPart: Bool, _ connection: Connection
  ) throws -> SnapshotOutcome? {
    let now = clock()
    guard let held = try HeldSnapshots.find(id, connection) else { return nil }
    let content = try HeldSnapshots.content(of: id, connection)
    let firstHeldAt = try HeldSnapshots.firstHeldAt(held, connection)
    try HeldSnapshots.remove(id, connection)
    guard apply else { return nil }
    switch held.reason {
    case .manyZeros:
      return try zero(
        held.aggregateId, held.createdOn, sparing: content.message.stock.map(\.sku), connection, now: now)
    case .future:
      let known = try ReleasedSnapshots.time(of: held.createdOn, in: held.aggregateId, connection)
      let time = known ?? CreatedOn(nanoseconds: min(firstHeldAt, now))
      if known == nil {
        try ReleasedSnapshots.note(held.createdOn, in: held.aggregateId, as: time, connection, at: now)
      }
      let snapshot = try StockSnapshot(held, content.message, content.issues, createdOn: time)
      return try self.apply(snapshot, connection, isPart: isPart || known != nil)
    }
  }
}

extension StockSnapshot {
  /// What was held, with another time.
  fileprivate init(
    _ held: HeldSnapshot, _ message: Omsconnector.V1.StockSnapshot,
    _ issues: Omsconnector.V1.ApplyStockSnapshotResponse,
    createdOn: CreatedOn
  ) throws(SnapshotError) {
    var builder = try SnapshotBuilder(
      aggregateId: held.aggregateId, mode: held.mode, createdOn: createdOn, rowCount: message.stock.count)
    for row in message.stock where row.quantity != nil {
      builder.add(sku: row.sku, quantity: RowQuantity(row.quantity), unlimited: row.unlimited)
    }
    builder.addRefused(
      Int(clamping: issues.invalid), issues.invalidRows.map { RowIssue($0) },
      naming: message.stock.filter { $0.quantity == nil }.map(\.sku))
    self = builder.build()
  }
}

extension RowIssue {
  fileprivate init(_ issue: Omsconnector.V1.StockRowIssue) {
    self.init(row: Int(clamping: issue.row), sku: issue.sku, aggregateId: issue.aggregateId, reason: issue.reason)
  }
}
