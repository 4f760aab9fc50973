import Messages
import RPC
import Storage

extension InventoryService {
  /// Bytes of a request's id.
  static let requestIDBytes = 256

  func updateSourceStock(
    _ request: Omsconnector.V1.UpdateSourceStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.UpdateSourceStockResponse {
    do {
      let snapshot = try SourceSnapshot(request.snapshot)
      return try await sendSourceStock(snapshot, request: Self.delivery(of: request, context, id: request.requestId))
    } catch {
      throw RPCError(inventory: error)
    }
  }

  func adjustSourceStock(
    _ request: Omsconnector.V1.AdjustSourceStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.AdjustSourceStockResponse {
    do {
      let adjustment = try SourceAdjustment(request.adjustment)
      return try await sendSourceStock(adjustment, request: Self.delivery(of: request, context, id: request.requestId))
    } catch {
      throw RPCError(inventory: error)
    }
  }

  /// What makes a request the same as another one; nil when its client gave it no id.
  private static func delivery(
    of request: some Message, _ context: ServerContext, id: String
  ) throws(RPCError) -> Delivery? {
    if id.isEmpty { return nil }
    if id.utf8.count > requestIDBytes {
      throw .invalid(
        field: "request_id", "request_id has \(id.utf8.count) bytes; at most \(requestIDBytes), e.g. a UUID")
    }
    return Delivery(requestID: id, method: context.path, content: request.serialized())
  }
}
