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
    let limit = try Self.rows(request.pageSize)
    let filter = OrderFilter(
      states: Set(try request.states.map { try Self.state($0) }), needsAttention: request.needsAttention)
    let list = "orders \(filter.states.map { "\($0.rawValue)" }.sorted()) \(filter.needsAttention)"
    let place = try request.pageToken.isEmpty ? nil : Self.place(request.pageToken, of: list)
    do {
      let store = store
      var orders = try await store.database.read {
        try store.orders($0, filter, after: place, limit: limit + 1)
      }
      var next = ""
      if orders.count > limit {
        orders.removeLast()
        if let last = orders.last { next = PageToken.encode(after: "\(last.createdAt) \(last.incrementID)", of: list) }
      }
      return .init(orders: orders.map { .init($0) }, nextPageToken: next)
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
          // An operator has looked at what was not decided, and at what people did. A step that is under way is left to end.
          if !order.attention.isEmpty {
            try store.endStep(connection, of: order.incrementID)
          }
          try store.acknowledgeDocuments(connection, of: order.incrementID)
        }
        try store.orderQueue.add(connection, order.incrementID)
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

  private static func place(_ token: String, of list: String) throws(RPCError) -> OrderPlace {
    let parts = PageToken.decode(token, of: list)?.split(separator: " ", maxSplits: 1) ?? []
    guard parts.count == 2, let createdAt = Int64(parts[0]) else { throw foreignToken() }
    return OrderPlace(createdAt: createdAt, incrementID: String(parts[1]))
  }
}
