import Messages
import RPC
import ServiceKit
import Stubs

extension SalesService {
  /// SKUs of a request.
  static let skuLimit = 1_000

  func listOpenUnits(_ request: V1.ListOpenUnitsRequest, context: ServerContext) async throws
    -> V1.ListOpenUnitsResponse
  {
    guard request.skus.count <= Self.skuLimit else {
      throw RPCError.invalid(field: "skus", "skus has \(request.skus.count) of them; at most \(Self.skuLimit)")
    }
    for (index, sku) in request.skus.enumerated() { try Self.check(sku, "skus[\(index)]", limit: 1_024) }
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: "open units")
    let limit = asked.limit
    let (store, skus) = (store, request.skus)
    do {
      guard skus.isEmpty else {
        return .init(openUnits: try await store.database.read { try store.openUnits($0, of: skus) }.map { .init($0) })
      }
      var units = try await store.database.read { try store.openUnits($0, after: asked.place, limit: limit + 1) }
      // One SKU more than the page has tells whether there are more.
      let found = units.reduce(into: [String]()) { found, unit in
        if found.last != unit.sku { found.append(unit.sku) }
      }
      guard found.count > limit else { return .init(openUnits: units.map { .init($0) }) }
      units.removeAll { $0.sku == found[limit] }
      return .init(
        openUnits: units.map { .init($0) }, nextPageToken: asked.token(after: found[limit - 1]))
    } catch {
      throw RPCError(sales: error)
    }
  }
}

extension Omsconnector.V1.OpenUnits {
  fileprivate init(_ units: OpenUnits) {
    self.init(
      sku: units.sku, website: units.website, acknowledged: units.acknowledged.message,
      unacknowledged: units.unacknowledged.message)
  }
}
