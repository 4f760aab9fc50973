import Messages
import RPC

extension CatalogService {
  func exportFullCatalog(
    _ request: Omsconnector.V1.ExportFullCatalogRequest,
    responses: ResponseWriter<Omsconnector.V1.ExportFullCatalogResponse>, context: ServerContext
  ) async throws { throw RPCError(.unimplemented, "ExportFullCatalog is not there yet") }

  func importProducts(
    _ requests: RequestStream<Omsconnector.V1.ImportProductsRequest>, context: ServerContext
  ) async throws -> Omsconnector.V1.ImportProductsResponse {
    throw RPCError(.unimplemented, "ImportProducts is not there yet")
  }
}
