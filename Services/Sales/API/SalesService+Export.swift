import Commerce
import Messages
import RPC
import ServiceKit
import Stubs

/// Orders on their way to the OMS.
extension SalesService {
  func submitOrder(_ request: V1.SubmitOrderRequest, context: ServerContext) async throws -> V1.SubmitOrderResponse {
    do {
      let shopOrder: ShopOrder
      do throws(UnreadableOrder) {
        shopOrder = try ShopOrder(parsing: Array(request.orderJson.utf8))
      } catch {
        throw RPCError.invalid(
          field: "order_json", "order_json: \(error); send the order as GET /V1/orders/:id answers it")
      }
      return .init(order: try await self.order(after: try await export.take(shopOrder, .seen), shopOrder.incrementID))
    } catch {
      throw RPCError(sales: error)
    }
  }

  func exportOrder(_ request: V1.ExportOrderRequest, context: ServerContext) async throws -> V1.ExportOrderResponse {
    try Self.check(request.incrementId, "increment_id", limit: ShopOrder.incrementIDBytes)
    do {
      guard let shopOrder = try await read(request.incrementId) else {
        throw RPCError(.notFound, "the shop has no order \"\(quotable(request.incrementId))\"")
      }
      return .init(order: try await self.order(after: try await export.take(shopOrder, .asked), shopOrder.incrementID))
    } catch let error as CommerceError {
      throw RPCError(error.mayPass ? .unavailable : .failedPrecondition, "the shop: \(error)", cause: error)
    } catch let error as UnreadableOrder {
      throw RPCError.precondition("ORDER_UNREADABLE", "\(error)")
    } catch {
      throw RPCError(sales: error)
    }
  }

  /// From the shop; as it was submitted, where there is none.
  private func read(_ incrementID: String) async throws -> ShopOrder? {
    if let shop { return try await shop.order(incrementID) }
    let store = store
    guard let content = try await store.database.read({ try store.content($0, of: incrementID) }) else {
      throw RPCError.precondition("NO_SHOP", "there is no shop to read from; set COMMERCE_URL, or use SubmitOrder")
    }
    return try ShopOrder(parsing: content)
  }

  private func order(after outcome: ExportOrders.Outcome, _ incrementID: String) async throws -> V1.Order {
    if case .over(let state) = outcome {
      throw RPCError.precondition(
        "ORDER_IS_OVER", "order \(incrementID) is \(state) in the shop and was never sent; it is not exported")
    }
    return try await message(of: incrementID)
  }
}
