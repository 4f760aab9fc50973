import Messages
import RPC
import Stubs

/// The shop's side of stock.
extension InventoryService {
  func setStock(
    _ request: Omsconnector.V1.SetStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.SetStockResponse { throw RPCError(.unimplemented, "SetStock is not there yet") }

  func explainStock(
    _ request: Omsconnector.V1.ExplainStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ExplainStockResponse {
    throw RPCError(.unimplemented, "ExplainStock is not there yet")
  }

  func resetStockTimestamp(
    _ request: Omsconnector.V1.ResetStockTimestampRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ResetStockTimestampResponse {
    throw RPCError(.unimplemented, "ResetStockTimestamp is not there yet")
  }

  func listHeldSnapshots(
    _ request: Omsconnector.V1.ListHeldSnapshotsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListHeldSnapshotsResponse {
    throw RPCError(.unimplemented, "ListHeldSnapshots is not there yet")
  }

  func decideHeldSnapshot(
    _ request: Omsconnector.V1.DecideHeldSnapshotRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DecideHeldSnapshotResponse {
    throw RPCError(.unimplemented, "DecideHeldSnapshot is not there yet")
  }

  func pushStock(
    _ request: Omsconnector.V1.PushStockRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.PushStockResponse { throw RPCError(.unimplemented, "PushStock is not there yet") }

  func listAggregates(
    _ request: Omsconnector.V1.ListAggregatesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListAggregatesResponse {
    throw RPCError(.unimplemented, "ListAggregates is not there yet")
  }

  func listSources(
    _ request: Omsconnector.V1.ListSourcesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListSourcesResponse {
    throw RPCError(.unimplemented, "ListSources is not there yet")
  }
}
