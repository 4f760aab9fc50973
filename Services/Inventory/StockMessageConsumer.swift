import Messages
import RPC
import ServiceKit
import Storage

/// Consumes the stock messages of the bus.
struct StockMessageConsumer {
  /// messages.md §2: aggregate stock, from the OMS to the shop.
  static let aggregateStockUpdated = "magento.inventory.aggregate_stock_management.updated"

  let store: StockStore
  /// Told when there is something for the shop.
  var pushing: @Sendable () -> Void = {}
  var sources: SourceStore?

  /// The service's port for messages of the bus.
  func port(timings: Timings) -> MessageConsumer {
    MessageConsumer(
      service: "inventory", methods: [aggregateStockUpdated] + sourceMethods, timings: timings,
      status: { RPCError(inventory: $0) })
  }

  private var sourceMethods: [ConsumedMethod] {
    SourceMessages(store: sources ?? SourceStore(store.database)).methods
  }

  private var aggregateStockUpdated: ConsumedMethod {
    let (store, pushing) = (store, pushing)
    return ConsumedMethod(Self.aggregateStockUpdated, in: store.database) { request, trace in
      let deliveryID = request.deliveryId
      return try Self.effect(of: request, on: store) { snapshot, outcome in
        if outcome.isToPush { pushing() }
        outcome.log(of: snapshot.aggregateId, deliveryID: deliveryID)
        Self.log(outcome, snapshot, deliveryID: deliveryID, trace)
      }
    }
  }

  /// - Parameter committed: told what came of it.
  /// - Throws: what ``StockSnapshot/init(busParams:)`` does.
  static func effect(
    of request: Omsconnector.Internal.V1.ConsumeRequest, on store: StockStore,
    committed: @escaping @Sendable (StockSnapshot, SnapshotOutcome) -> Void = { _, _ in }
  ) throws -> MessageEffect<SnapshotOutcome> {
    let snapshot = try StockSnapshot(busParams: request.body)
    return MessageEffect(
      weight: snapshot.weight, key: snapshot.aggregateId, isolation: StockStore.isolation,
      apply: { try store.apply(snapshot, $0) }, result: result,
      committed: { committed(snapshot, $0) })
  }

  /// The counts, and the rows that were not applied as they stood; of a held snapshot, its id.
  private static func result(_ outcome: SnapshotOutcome) -> [UInt8] {
    if outcome.isFuture { return Array(#"{"held_snapshot_id":"\#(outcome.heldID)"}"#.utf8) }
    return Array(Omsconnector.V1.ApplyStockSnapshotResponse(outcome).json(writesDefaults: true).utf8)
  }

  /// The OMS doesn't act on what the reply names, so the operator gets to read it too.
  private static func log(
    _ outcome: SnapshotOutcome, _ snapshot: StockSnapshot, deliveryID: String, _ trace: TraceContext
  ) {
    if outcome.clamped == 0 && outcome.invalid == 0 {
      Log.debug(
        "stock applied",
        [
          "delivery_id": .deliveryID(deliveryID), "aggregate_id": "\(snapshot.aggregateId)",
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
        "delivery_id": .deliveryID(deliveryID), "aggregate_id": "\(snapshot.aggregateId)",
        "invalid": LogValue(outcome.invalid),
        "clamped": LogValue(outcome.clamped), "first": .list(Array(first)),
      ], trace: trace)
  }
}
