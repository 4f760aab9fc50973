import Commerce
import RPC
import ServiceKit
import Storage

/// Asking by itself for what was found in the shop.
extension AuthorizeReturn {
  /// After that long an operator is told of a return whose order is still not with the OMS; it is tried on all the same.
  static let patience: Int64 = 24 * 3_600 * 1_000_000_000
  /// Between two attempts at most.
  static let longestPause = 600

  func attempt(_ item: WorkItem) async throws -> WorkOutcome {
    let entityID = Int64(item.key) ?? 0
    do {
      _ = try await self(entityID)
      return .done
    } catch let error as RPCError where error.code == .failedPrecondition || error.code == .notFound {
      return try await hindered(entityID, item, error.message)
    }
  }

  private func hindered(_ entityID: Int64, _ item: WorkItem, _ reason: String) async throws -> WorkOutcome {
    guard let shop, try await shop.hasReturns() else { return .parked(reason: reason) }
    guard let made = try await shop.find(entityID) else {
      try await note(entityID) { ($0.state, $0.needsAttention, $0.reason) = (.ended, false, reason) }
      Log.warning("a return of the shop is gone before the OMS was asked", ["return": LogValue(entityID)])
      return .done
    }
    let store = store
    if try await database.read({ try store.hasMade(made, $0) }) { return .done }
    let (now, found) = (now(), ReturnRecord(unasked: made, now: now()))
    if let order = try await orders.order(made.rma.orderIncrementId), order.isWithOMS {
      try await note(entityID, found) { ($0.reason, $0.needsAttention) = (reason, true) }
      return .parked(reason: reason)
    }
    try await note(entityID, found) { record in
      record.reason = reason
      record.needsAttention = now - record.createdAt > Self.patience
    }
    return .again(after: .seconds(min(Self.longestPause, 1 << min(item.attempts, 10))), reason: reason)
  }

  /// Says of a return why the OMS was not asked, unless it was meanwhile.
  ///
  /// - Parameter found: what becomes known when it was not; nil to leave it unknown.
  private func note(
    _ entityID: Int64, _ found: ReturnRecord? = nil, _ change: @escaping @Sendable (inout ReturnRecord) -> Void
  ) async throws {
    let store = store
    try await database.write(weight: 2, key: found?.incrementID) { connection in
      guard let known = try store.find(entityID: entityID, connection) ?? found, !known.isAsked else { return }
      var record = known
      change(&record)
      if try store.find(entityID: entityID, connection) != record { try store.save(record, connection) }
    }
  }
}
