import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// `omsconnector.v1.InventoryService`.
struct InventoryService: Omsconnector.V1.InventoryService {
  /// A page's size when the client names none, and the largest (AIP-158).
  static let pageSize = (standard: 100, largest: 1_000)
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
    if request.pageSize < 0 {
      throw RPCError.invalid(
        field: "page_size", "page_size \(request.pageSize) is negative; send 0 for \(Self.pageSize.standard)")
    }
    let limit = request.pageSize == 0 ? Self.pageSize.standard : min(Int(request.pageSize), Self.pageSize.largest)
    var after = ""
    if !request.pageToken.isEmpty {
      guard let sku = PageToken.decode(request.pageToken, of: aggregateId) else {
        throw RPCError.invalid(
          field: "page_token",
          "page_token \"\(quotable(request.pageToken))\" is no next_page_token of aggregate \"\(quotable(aggregateId))\"; "
            + "send one unchanged, or none for the first page")
      }
      after = sku
    }
    do {
      let page = try await store.page(aggregateId: aggregateId, after: after, limit: limit, byteLimit: Self.pageBytes)
      let next = page.isLast ? "" : page.stock.last.map { PageToken.encode(after: $0.sku, of: aggregateId) }
      return .init(stock: page.stock.map { .init($0) }, nextPageToken: next ?? "")
    } catch {
      throw RPCError(inventory: error)
    }
  }
}
