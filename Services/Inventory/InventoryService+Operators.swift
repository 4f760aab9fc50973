import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// What operators do to stock.
extension InventoryService {
  func setStock(
    _ request: Omsconnector.V1.SetStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.SetStockResponse {
    try Self.check(aggregateId: request.aggregateId, sku: request.sku)
    if request.quantity < 0 {
      throw RPCError.invalid(field: "quantity", "quantity \(request.quantity) is negative; send 0 or more")
    }
    guard developerMode else {
      throw RPCError(
        .failedPrecondition,
        "the OMS owns stock: aggregate \"\(quotable(request.aggregateId))\" is what it last told. Change it there; on a machine "
          + "of a developer INVENTORY_DEVELOPER_MODE=true lets it be set here",
        details: [.errorInfo(reason: "OMS_OWNS_STOCK", domain: "omsconnector")])
    }
    do {
      var builder = try SnapshotBuilder(
        aggregateId: request.aggregateId, mode: .delta, createdOn: CreatedOn(nanoseconds: WallClock.nanoseconds()),
        rowCount: 1)
      builder.add(sku: request.sku, quantity: .units(request.quantity), unlimited: false)
      let outcome = try await applySnapshot(builder.build())
      let stock = try await store.stock(aggregateId: request.aggregateId, sku: request.sku)
      guard outcome.applied == 1, let stock else {
        throw RPCError(
          .failedPrecondition,
          "SKU \"\(quotable(request.sku))\" holds a quantity from the future; see omsctl stock reset-timestamp")
      }
      return .init(stock: .init(stock))
    } catch {
      throw RPCError(inventory: error)
    }
  }

  func resetStockTimestamp(
    _ request: Omsconnector.V1.ResetStockTimestampRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ResetStockTimestampResponse {
    try Self.check(aggregateId: request.aggregateId, sku: request.sku)
    do {
      guard let stock = try await store.resetTimestamp(aggregateId: request.aggregateId, sku: request.sku) else {
        throw RPCError(
          .notFound,
          "no stock of SKU \"\(quotable(request.sku))\" in aggregate \"\(quotable(request.aggregateId))\"; see ListStock"
        )
      }
      Log.info(
        "the time of a SKU's stock was reset; the next message sets it",
        ["aggregate_id": "\(quotable(request.aggregateId))", "sku": "\(quotable(request.sku))"], trace: context.trace)
      return .init(stock: .init(stock))
    } catch {
      throw RPCError(inventory: error)
    }
  }

  func listHeldSnapshots(
    _ request: Omsconnector.V1.ListHeldSnapshotsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListHeldSnapshotsResponse {
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: "held snapshots")
    let after = Int64(asked.place) ?? 0
    do {
      let found = try await store.database.read { try HeldSnapshots.page(after: after, limit: asked.limit + 1, $0) }
      let (page, next) = asked.page(found) { "\($0.id)" }
      return .init(heldSnapshots: page.map { .init($0) }, nextPageToken: next)
    } catch {
      throw RPCError(inventory: error)
    }
  }

  func decideHeldSnapshot(
    _ request: Omsconnector.V1.DecideHeldSnapshotRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DecideHeldSnapshotResponse {
    let (id, apply) = (request.id, request.apply)
    do {
      guard let held = try await store.database.read({ try HeldSnapshots.find(id, $0) }) else {
        throw RPCError(
          .notFound, "no held snapshot \(id): it was decided, or overtaken by a later one; see omsctl stock held")
      }
      let outcome = try await store.decide(held, apply: apply)
      if outcome?.isToPush ?? false { applySnapshot.pushing() }
      Log.info(
        "a held snapshot was decided",
        [
          "held": LogValue(id), "aggregate_id": "\(quotable(held.aggregateId))", "applied": LogValue(apply),
        ], trace: context.trace)
      return .init(applied: outcome.map { .init($0) })
    } catch {
      throw RPCError(inventory: error)
    }
  }

  static func check(aggregateId: String, sku: String) throws(RPCError) {
    try check(aggregateId: aggregateId)
    if let problem = RowRules.problem(ofSKU: sku) { throw .invalid(field: "sku", problem) }
  }
}

extension Omsconnector.V1.HeldSnapshot {
  init(_ held: HeldSnapshot) {
    self.init(
      id: held.id, aggregateId: held.aggregateId, mode: .init(held.mode), createdOn: .init(held.createdOn),
      reason: held.reason == .future ? .future : .manyZeros, explanation: held.explanation, skus: held.skus,
      zeros: held.zeros, heldAt: .init(nanosecondsSinceEpoch: held.heldAt))
  }
}
