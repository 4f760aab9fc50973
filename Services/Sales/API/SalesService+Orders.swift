import Messages
import RPC
import ServiceKit
import Stubs

/// Looking at orders.
extension SalesService {
  func getOrder(_ request: V1.GetOrderRequest, context: ServerContext) async throws -> V1.GetOrderResponse {
    try Self.check(request.incrementId, "increment_id")
    do {
      return .init(order: try await message(of: request.incrementId))
    } catch {
      throw RPCError(sales: error)
    }
  }

  func listOrders(_ request: V1.ListOrdersRequest, context: ServerContext) async throws -> V1.ListOrdersResponse {
    let filter = OrderFilter(
      states: Set(try request.states.map { try Self.state($0) }), needsAttention: request.needsAttention)
    let list = "orders \(filter.states.map { "\($0.rawValue)" }.sorted()) \(filter.needsAttention)"
    let asked = try PageRequest(size: request.pageSize, token: request.pageToken, of: list)
    let place = try asked.timedPlace().map { OrderPlace(createdAt: $0.at, incrementID: $0.key) }
    do {
      let store = store
      let (found, payments) = try await store.database.read { connection in
        let found = try store.orders(connection, filter, after: place, limit: asked.limit + 1)
        let stuck = try found.map {
          ($0.incrementID, try store.stuckPayments(connection, of: $0.incrementID, limit: 1))
        }
        return (found, Dictionary(stuck) { first, _ in first })
      }
      let (orders, next) = asked.page(found) { PageRequest.timed($0.createdAt, $0.incrementID) }
      return .init(
        orders: orders.map { .init($0, payments: payments[$0.incrementID] ?? []) }, nextPageToken: next)
    } catch {
      throw RPCError(sales: error)
    }
  }

  func resumeOrder(_ request: V1.ResumeOrderRequest, context: ServerContext) async throws -> V1.ResumeOrderResponse {
    let order = try await known(request.incrementId)
    do {
      let (store, lookOnly) = (store, request.lookOnly)
      try await store.database.write(key: order.incrementID) { connection in
        if !lookOnly {
          try store.setAttention(connection, of: order.incrementID, "")
          // An operator has looked at what was not decided, and at what people did.
          try store.endUndecidedStep(connection, of: order.incrementID)
          try store.acknowledgeDocuments(connection, of: order.incrementID)
          try store.resumePayments(connection, of: order.incrementID)
        }
        try store.orderQueue.add(connection, order.incrementID)
        if order.exportState == .held { try store.exportQueue.add(connection, order.incrementID) }
      }
      resumed()
      return .init(order: try await message(of: order.incrementID))
    } catch {
      throw RPCError(sales: error)
    }
  }

  private static func state(_ state: V1.OrderExportState) throws(RPCError) -> ExportState {
    guard let state = ExportState(state) else {
      throw .invalid(field: "states", "states has \(state), which is no state of an order")
    }
    return state
  }
}
