import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// `omsconnector.v1.InventoryService`.
struct InventoryService: Omsconnector.V1.InventoryService {
  /// A page ends here, far from a message's limit of 4 MiB.
  static let pageBytes = 1 << 20

  let applySnapshot: ApplySnapshot
  let store: StockStore
  let sendSourceStock: SendSourceStock
  var sources: SourceStore?
  /// What ExplainStock looks through; nil for nothing.
  var journal: (any StockJournal)?
  /// Whether SetStock may set what the OMS owns.
  var developerMode = false

  func applyStockSnapshot(
    _ request: Omsconnector.V1.ApplyStockSnapshotRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ApplyStockSnapshotResponse {
    do {
      return .init(try await applySnapshot(StockSnapshot(request.snapshot)))
    } catch {
      throw RPCError(inventory: error)
    }
  }

  func streamStockSnapshots(
    _ requests: RequestStream<Omsconnector.V1.StreamStockSnapshotsRequest>, context: ServerContext
  ) async throws -> Omsconnector.V1.StreamStockSnapshotsResponse {
    var pipeline = applySnapshot.pipeline()
    var received = 0
    do {
      for try await request in requests {
        let snapshot = try StockSnapshot(request.snapshot)
        try await pipeline.add(snapshot)
        received += 1
      }
      return .init(try await pipeline.drain(), snapshots: received)
    } catch let error as SnapshotPipelineError {
      throw RPCError(part: error.part, durableParts: error.part - 1, error: error.cause)
    } catch let error as RPCError where error.code == .cancelled || error.code == .deadlineExceeded {
      // Nobody reads the answer any more.
      throw error
    } catch {
      // The parts before the bad one are good: they are applied before the answer says so.
      do throws(SnapshotPipelineError) {
        try await pipeline.drain()
      } catch let failure {
        throw RPCError(part: failure.part, durableParts: failure.part - 1, error: failure.cause)
      }
      throw RPCError(part: received + 1, durableParts: received, error: error)
    }
  }

  func getStock(
    _ request: Omsconnector.V1.GetStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetStockResponse {
    try Self.check(aggregateId: request.aggregateId)
    if request.sku.isEmpty { throw RPCError.invalid(field: "sku", "sku is missing; send the product's SKU") }
    if request.sku.utf8.count > SnapshotLimits.skuBytes {
      throw RPCError.invalid(
        field: "sku", "sku has \(request.sku.utf8.count) bytes; at most \(SnapshotLimits.skuBytes)")
    }
    let found: Stock?
    do {
      found = try await store.stock(aggregateId: request.aggregateId, sku: request.sku)
    } catch {
      throw RPCError(inventory: error)
    }
    guard let found else {
      throw RPCError(
        .notFound,
        "no stock of SKU \"\(quotable(request.sku))\" in aggregate \"\(quotable(request.aggregateId))\": no snapshot has "
          + "named it yet; check the spelling, upper and lower case included, or see ListStock")
    }
    return .init(stock: .init(found))
  }

  static func check(aggregateId: String) throws(RPCError) {
    if aggregateId.isEmpty {
      throw .invalid(field: "aggregate_id", "aggregate_id is missing; send the id of the OMS's aggregate")
    }
    if aggregateId.utf8.count > SnapshotLimits.aggregateIdBytes {
      throw .invalid(
        field: "aggregate_id",
        "aggregate_id has \(aggregateId.utf8.count) bytes; at most \(SnapshotLimits.aggregateIdBytes)")
    }
  }

  func listStock(
    _ request: Omsconnector.V1.ListStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListStockResponse {
    let aggregateId = request.aggregateId
    try Self.check(aggregateId: aggregateId)
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: aggregateId)
    do {
      let page = try await store.page(
        aggregateId: aggregateId, after: asked.place, limit: asked.limit, byteLimit: Self.pageBytes)
      let next = page.isLast ? "" : page.stock.last.map { asked.token(after: $0.sku) }
      return .init(stock: page.stock.map { .init($0) }, nextPageToken: next ?? "")
    } catch {
      throw RPCError(inventory: error)
    }
  }
}
