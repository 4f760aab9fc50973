import EventLoop
import Messages
import RPC
import ServiceKit

extension CatalogService {
  /// Between two answers about a run, and between two looks whether it has ended.
  static let progressInterval = (answer: Duration.seconds(1), look: Duration.milliseconds(100))

  func exportFullCatalog(
    _ request: Omsconnector.V1.ExportFullCatalogRequest,
    responses: ResponseWriter<Omsconnector.V1.ExportFullCatalogResponse>, context: ServerContext
  ) async throws {
    guard let runs else { throw RPCError.noShop }
    do {
      let id = try await runs.startFull().id
      var sinceAnswer = Self.progressInterval.answer
      while true {
        guard let run = try await runs.store.run(id) else {
          throw RPCError(.notFound, "run \(id) is not in the store any more; see the log for what became of it")
        }
        if run.state != .running {
          return try await responses.send(.init(run, issues: try await runs.store.issues(of: id)))
        }
        if sinceAnswer >= Self.progressInterval.answer {
          try await responses.send(.init(run))
          sinceAnswer = .zero
        }
        await loop.sleep(for: Self.progressInterval.look)
        sinceAnswer += Self.progressInterval.look
        try Task.checkCancellation()
      }
    } catch {
      throw RPCError(catalog: error)
    }
  }
}

extension Omsconnector.V1.ExportFullCatalogResponse {
  init(_ run: CatalogRun, issues: [Issue] = []) {
    let state: Omsconnector.V1.FullExportState =
      switch run.state {
      case .running where run.reason.isEmpty: .running
      case .running: .waiting
      case .done, .replaced: .done
      }
    self.init(
      run: run.id, state: state, read: Int64(run.read), total: Int64(run.total), exported: Int64(run.exported),
      deactivated: Int64(run.deactivated), failed: Int64(run.failed), issues: issues.map { .init($0) },
      reason: run.reason, startedAt: .init(nanosecondsSinceEpoch: run.startedAt))
  }
}
