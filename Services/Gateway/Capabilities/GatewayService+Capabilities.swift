import Messages
import RPC
import Stubs

/// What all services together can do.
extension GatewayService {
  func getCapabilities(
    _ request: Omsconnector.V1.GetCapabilitiesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetCapabilitiesResponse {
    throw RPCError(.unimplemented, "GetCapabilities is not there yet")
  }

  func diagnose(
    _ request: Omsconnector.V1.DiagnoseRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.DiagnoseResponse { throw RPCError(.unimplemented, "Diagnose is not there yet") }
}
