import Messages
import RPC
import ServiceKit

extension CatalogService {
  func listHeldProducts(
    _ request: Omsconnector.V1.ListHeldProductsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListHeldProductsResponse {
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: "held products")
    do {
      let found = try await store.database.read {
        try HeldProduct.page($0, after: asked.place, limit: asked.limit + 1)
      }
      let (page, next) = asked.page(found, place: \.sku)
      return .init(heldProducts: page.map { .init($0) }, nextPageToken: next)
    } catch {
      throw RPCError(catalog: error)
    }
  }

  func decideHeldProducts(
    _ request: Omsconnector.V1.DecideHeldProductsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DecideHeldProductsResponse {
    guard (1...CatalogRules.requested).contains(request.skus.count) else {
      throw RPCError.invalid(
        field: "skus", "\(request.skus.count) SKUs; send 1 to \(CatalogRules.requested) of those that wait")
    }
    for sku in request.skus {
      if let problem = CatalogRules.problem(ofSKU: sku) { throw RPCError.invalid(field: "skus", problem) }
    }
    guard let intake else { throw RPCError.noShop }
    do {
      let outcome =
        request.apply
        ? try await intake.deactivateHeld(request.skus, room: OutboxRoom(store: store, loop: loop))
        : try await store.keepHeld(request.skus)
      Log.info(
        "products that were held back were decided",
        ["inactive": LogValue(outcome.deactivated), "kept": LogValue(outcome.kept)], trace: context.trace)
      return .init(deactivated: Int64(outcome.deactivated), kept: Int64(outcome.kept))
    } catch {
      throw RPCError(catalog: error)
    }
  }
}

extension CatalogStore {
  /// Leaves products that wait as they are.
  func keepHeld(_ skus: [String]) async throws -> (deactivated: Int, kept: Int) {
    try await database.write(weight: skus.count, key: Self.key) { connection in
      let held = try HeldProduct.rows(connection, skus: skus)
      try HeldProduct.release(connection, skus: skus)
      return (0, held.count)
    }
  }
}

extension ShopIntake {
  /// Makes those of the products that wait INACTIVE that the shop does not have.
  func deactivateHeld(_ skus: [String], room: OutboxRoom) async throws -> (deactivated: Int, kept: Int) {
    let held = try await store.database.read { try HeldProduct.rows($0, skus: skus) }.map(\.sku)
    if held.isEmpty { return (0, 0) }
    // The list may be old, or the shop may be another one by now.
    let present = try await reader.present(held)
    let facts = try await reader.facts.current()
    try await room.wait()
    let store = store
    let done = try await store.database.write(weight: 2 * held.count, key: CatalogStore.key) { connection in
      let held = try HeldProduct.rows(connection, skus: held)
      let gone = held.map(\.sku).filter { !present.contains($0) }
      let ids = Dictionary(held.map { ($0.sku, $0.productID) }) { first, _ in first }
      let outcome = try store.deactivate(connection, skus: gone, ids: ids, facts: facts)
      try HeldProduct.release(connection, skus: held.map(\.sku))
      return (deactivated: outcome.deactivated, kept: held.count - outcome.deactivated)
    }
    if done.deactivated > 0 { added() }
    return done
  }
}

extension Omsconnector.V1.HeldProduct {
  init(_ held: HeldProduct) {
    self.init(
      sku: held.sku, productId: held.productID, name: held.name,
      reason: held.reason == .missing ? .missing : .renamed, newSku: held.newSKU,
      heldAt: .init(nanosecondsSinceEpoch: held.heldAt))
  }
}
