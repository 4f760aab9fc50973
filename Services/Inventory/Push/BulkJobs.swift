import Commerce
import Messages

/// Bodies that the shop takes at once and works on later (magento-rest.md §1).
struct BulkJobs: Sendable {
  /// What has become of a job.
  enum State: Sendable, Equatable {
    case open
    /// The shop tells nothing of its operations, which may come yet.
    case silent
    case done
    /// May be sent again as it is.
    case retriable(reason: String)
    /// Not as it is.
    case refused(reason: String)
    /// The shop doesn't know it any more.
    case unknown
  }

  let client: CommerceClient

  /// One job of one operation: all rows or none, in the shop's own time.
  ///
  /// - Returns: its id.
  func start(_ rows: [PushedStock], source code: String) async throws -> String {
    let accepted: Magento.Commerce.V1.BulkAccepted = try await client.send(
      "POST", "async/V1/inventory/source-items", SourceItems.body(rows, code))
    guard !accepted.bulkUuid.isEmpty else {
      throw CommerceError(
        .unreadable, status: 202, request: "POST async/V1/inventory/source-items", "the bulk job has no id")
    }
    return accepted.bulkUuid
  }

  func state(of uuid: String) async throws -> State {
    let status: Magento.Commerce.V1.BulkStatus
    do {
      status = try await client.get("V1/bulk/\(CommerceClient.path(uuid))/status")
    } catch let error as CommerceError where error.kind == .notFound {
      return .unknown
    }
    // 1 complete, 2 failed and may pass, 3 failed for good, 4 open, 5 rejected.
    let operations = status.operationsList
    if operations.isEmpty { return .silent }
    if operations.contains(where: { $0.status == 4 }) { return .open }
    if let failed = operations.first(where: { $0.status == 3 || $0.status == 5 }) {
      return .refused(reason: failed.resultMessage)
    }
    if let failed = operations.first(where: { $0.status == 2 }) { return .retriable(reason: failed.resultMessage) }
    return .done
  }
}
