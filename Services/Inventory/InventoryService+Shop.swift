import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// Stock on its way to the shop.
extension InventoryService {
  /// SKUs of one PushStock.
  static let pushedSKUs = 1_000

  func pushStock(
    _ request: Omsconnector.V1.PushStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.PushStockResponse {
    guard request.skus.isEmpty != request.aggregateId.isEmpty else {
      throw RPCError.invalid(field: "skus", "send either skus or aggregate_id")
    }
    if request.skus.count > Self.pushedSKUs {
      throw RPCError.invalid(
        field: "skus", "\(request.skus.count) skus; at most \(Self.pushedSKUs) in one call: send several")
    }
    for (index, sku) in request.skus.enumerated() {
      if let problem = RowRules.problem(ofSKU: sku) { throw RPCError.invalid(field: "skus[\(index)]", problem) }
    }
    let (skus, aggregateId) = (request.skus, request.aggregateId)
    do {
      let pending =
        try await aggregateId.isEmpty
        ? store.database.write(weight: skus.count) { try Self.markEach(skus, $0) }
        : store.database.write { try Self.markAll(aggregateId, $0) }
      applySnapshot.pushing()
      return .init(pending: pending)
    } catch {
      throw RPCError(inventory: error)
    }
  }

  /// In every aggregate with a target that has the SKU. One that none has is not an error: orders may hold what has no stock.
  private static func markEach(_ skus: [String], _ connection: Connection) throws -> Int64 {
    let now = WallClock.nanoseconds()
    var marked: [String: [String]] = [:]
    for sku in Set(skus).sorted() {
      for aggregateId in try PushQueue.aggregates(holding: sku, connection) {
        marked[aggregateId, default: []].append(sku)
      }
    }
    for (aggregateId, skus) in marked.sorted(by: { $0.key < $1.key }) {
      try PushQueue.mark(skus, of: aggregateId, connection, at: now)
    }
    return marked.values.reduce(0) { $0 + Int64($1.count) }
  }

  private static func markAll(_ aggregateId: String, _ connection: Connection) throws -> Int64 {
    guard try PushQueue.hasTarget(aggregateId, connection) else {
      throw RPCError(
        .failedPrecondition,
        "aggregate \"\(quotable(aggregateId))\" goes nowhere: the mapping file names no website for it, or there is no shop "
          + "(COMMERCE_URL)")
    }
    try PushQueue.all.add(connection, aggregateId)
    return try PushQueue.statuses(connection).first { $0.aggregateId == aggregateId }?.skus ?? 0
  }

  func listAggregates(
    _ request: Omsconnector.V1.ListAggregatesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListAggregatesResponse {
    do {
      let statuses = try await store.database.read { try PushQueue.statuses($0) }
      return .init(aggregates: statuses.map { .init($0) })
    } catch {
      throw RPCError(inventory: error)
    }
  }

  func listSources(
    _ request: Omsconnector.V1.ListSourcesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListSourcesResponse {
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: "sources")
    do {
      let page = try await (sources ?? SourceStore(store.database)).page(after: asked.place, limit: asked.limit)
      let next = page.isLast ? nil : page.sources.last.map { asked.token(after: $0.sourceId) }
      return .init(sources: page.sources, nextPageToken: next ?? "")
    } catch {
      throw RPCError(inventory: error)
    }
  }
}

extension Omsconnector.V1.Aggregate {
  init(_ status: PushStatus) {
    self.init(
      aggregateId: status.aggregateId, website: status.website, sourceCode: status.source, skus: status.skus,
      pending: status.pending, failed: status.failed,
      lastPushedAt: status.lastPushedAt == 0 ? nil : .init(nanosecondsSinceEpoch: status.lastPushedAt),
      lastError: status.lastError.isEmpty ? status.lostJob : status.lastError)
  }
}
