import Messages
import RPC
import ServiceKit

extension CatalogService {
  func importProducts(
    _ requests: RequestStream<Omsconnector.V1.ImportProductsRequest>, context: ServerContext
  ) async throws -> Omsconnector.V1.ImportProductsResponse {
    do {
      let facts = try await intake?.reader.facts.current() ?? ShopFacts()
      let room = OutboxRoom(store: store, loop: loop)
      var reading = ProductImport(store, mapping, facts, room: { try await room.wait() }, added: added)
      do {
        for try await request in requests { try await reading.add(request.csv) }
        try await reading.end()
      } catch let problem as CSVProblem {
        try await reading.finish()
        let before = reading.outcome.read - reading.outcome.failed
        throw RPCError.invalid(
          field: "csv",
          "\(problem); \(before == 0 ? "no product before it was" : "\(before) products before it are") taken over")
      }
      return .init(reading.outcome)
    } catch {
      throw RPCError(catalog: error)
    }
  }
}

extension Omsconnector.V1.ImportProductsResponse {
  init(_ outcome: ImportOutcome) {
    self.init(
      read: Int64(outcome.read), exported: Int64(outcome.exported), unchanged: Int64(outcome.unchanged),
      failed: Int64(outcome.failed), issues: outcome.issues.map { .init($0) })
  }
}
