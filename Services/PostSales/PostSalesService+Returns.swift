import Messages
import RPC
import Stubs

extension PostSalesService {
  func authorizeReturn(
    _ request: Omsconnector.V1.AuthorizeReturnRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.AuthorizeReturnResponse {
    throw RPCError(.unimplemented, "AuthorizeReturn is not there yet")
  }

  func getReturn(
    _ request: Omsconnector.V1.GetReturnRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetReturnResponse { throw RPCError(.unimplemented, "GetReturn is not there yet") }

  func listReturns(
    _ request: Omsconnector.V1.ListReturnsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListReturnsResponse {
    throw RPCError(.unimplemented, "ListReturns is not there yet")
  }

  func setReturnAttributes(
    _ request: Omsconnector.V1.SetReturnAttributesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.SetReturnAttributesResponse {
    throw RPCError(.unimplemented, "SetReturnAttributes is not there yet")
  }
}
