import Messages
import RPC
import ServiceKit
import Storage
import Stubs

extension InventoryService {
  func explainStock(
    _ request: Omsconnector.V1.ExplainStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ExplainStockResponse {
    let (aggregateId, sku) = (request.aggregateId, request.sku)
    try Self.check(aggregateId: aggregateId, sku: sku)
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: "explain \(aggregateId) \(sku)")
    let now = WallClock.nanoseconds()
    // Clocks of several machines: what the gateway has just received is not left out.
    let before = Int64(asked.place) ?? now + 60_000_000_000
    do {
      let answer = try await ExplainStock(store: store, journal: journal)(
        aggregateId: aggregateId, sku: sku, before: before, limit: asked.limit, now: now)
      var events = answer.events.map { Omsconnector.V1.StockEvent($0) }
      if let note = answer.note { events.append(.init(explanation: note)) }
      return .init(
        stock: answer.stock.map { .init($0) }, events: events,
        nextPageToken: answer.next.map { asked.token(after: "\($0)") } ?? "")
    } catch {
      throw RPCError(inventory: error)
    }
  }
}

extension Omsconnector.V1.StockEvent {
  init(_ event: StockStory.Event) {
    self.init(
      at: .init(nanosecondsSinceEpoch: event.at), verdict: event.verdict, quantity: event.quantity,
      unlimited: event.unlimited, mode: .init(event.mode),
      createdOn: .init(nanosecondsSinceEpoch: event.createdOn), previousQuantity: event.previousQuantity,
      journalId: event.journalID, explanation: event.explanation)
  }
}
