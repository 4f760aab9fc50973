import Messages
import RPC
import ServiceKit
import Stubs

/// `omsconnector.internal.v1.MessageConsumerService` for the stock messages of the bus.
struct StockMessageConsumer: Omsconnector.Internal.V1.MessageConsumerService {
  /// messages.md §2: aggregate stock, from the OMS to the shop.
  static let aggregateStockUpdated = "magento.inventory.aggregate_stock_management.updated"

  let applySnapshot: ApplySnapshot
  let timings: Timings

  func listMethods(
    _ request: Omsconnector.Internal.V1.ListMethodsRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListMethodsResponse {
    .init(methods: [Self.aggregateStockUpdated])
  }

  func consume(
    _ request: Omsconnector.Internal.V1.ConsumeRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ConsumeResponse {
    guard request.method == Self.aggregateStockUpdated else {
      throw RPCError(
        .unimplemented,
        "inventory does not consume \"\(quotable(request.method))\"; it consumes \(Self.aggregateStockUpdated)")
    }
    let start = ContinuousClock.now
    var failed = true
    defer {
      timings.record(
        kind: .busMethod, endpoint: Self.aggregateStockUpdated, failed: failed, duration: .now - start)
    }
    do {
      let snapshot = try StockSnapshot(busParams: request.body)
      let outcome = try await applySnapshot(snapshot)
      log(outcome, snapshot, deliveryId: request.deliveryId, context.trace)
      failed = false
      return .init(result: Self.result(outcome))
    } catch let error as MessageError {
      throw RPCError(.invalidArgument, error.description)
    } catch {
      throw RPCError(inventory: error)
    }
  }

  /// The counts, and the rows that were not applied as they stood.
  static func result(_ outcome: SnapshotOutcome) -> [UInt8] {
    Array(Omsconnector.V1.ApplyStockSnapshotResponse(outcome).json(writesDefaults: true).utf8)
  }

  /// The OMS doesn't act on what the reply names, so the operator gets to read it too.
  private func log(
    _ outcome: SnapshotOutcome, _ snapshot: StockSnapshot, deliveryId: String, _ trace: TraceContext
  ) {
    if outcome.clamped == 0 && outcome.invalid == 0 {
      Log.debug(
        "stock applied",
        [
          "delivery_id": .deliveryID(deliveryId), "aggregate_id": "\(snapshot.aggregateId)",
          "applied": LogValue(outcome.applied), "stale": LogValue(outcome.stale), "zeroed": LogValue(outcome.zeroed),
        ], trace: trace)
      return
    }
    let first = (outcome.invalidRows.prefix(3) + outcome.clampedRows.prefix(3)).map { issue in
      "row \(issue.row), SKU \"\(issue.sku)\": \(issue.reason)"
    }
    Log.warning(
      "stock rows not applied as they stood",
      [
        "delivery_id": .deliveryID(deliveryId), "aggregate_id": "\(snapshot.aggregateId)",
        "invalid": LogValue(outcome.invalid),
        "clamped": LogValue(outcome.clamped), "first": .list(Array(first)),
      ], trace: trace)
  }
}
