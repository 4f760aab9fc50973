import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// The warehouse's side (connector.md §2.6).
extension SalesService {
  func listShipmentRequests(
    _ request: V1.ListShipmentRequestsRequest, context: ServerContext
  ) async throws -> V1.ListShipmentRequestsResponse {
    let limit = try Self.rows(request.pageSize)
    let list = "shipment requests \(request.open)"
    let place = try request.pageToken.isEmpty ? nil : Self.shipmentPlace(request.pageToken, of: list)
    do {
      let store = store
      var requests = try await store.database.read {
        try store.shipmentRequests($0, open: request.open, after: place, limit: limit + 1)
      }
      var next = ""
      if requests.count > limit {
        requests.removeLast()
        if let last = requests.last { next = PageToken.encode(after: "\(last.createdAt) \(last.requestID)", of: list) }
      }
      return .init(shipmentRequests: requests.map { .init($0) }, nextPageToken: next)
    } catch {
      throw RPCError(sales: error)
    }
  }

  func reportShipment(
    _ request: V1.ReportShipmentRequest, context: ServerContext
  ) async throws -> V1.ReportShipmentResponse {
    let report = try ShipmentReport(request)
    let store = store
    do {
      guard let found = try await store.database.read({ try store.shipmentRequest($0, report.requestID) }) else {
        throw RPCError(.notFound, "shipment request \"\(quotable(report.requestID))\" is not known here")
      }
      let ids = try await store.database.write(weight: 4 + found.lines.count, key: found.incrementID) { connection in
        // As it is by now.
        let current = try store.shipmentRequest(connection, report.requestID) ?? found
        let (changed, ids) = try report.apply(to: current) { try store.outbox.add(connection, $0) }
        try store.save(connection, changed)
        return ids
      }
      added()
      return .init(deliveryIds: ids)
    } catch {
      throw RPCError(sales: error)
    }
  }

  private static func shipmentPlace(
    _ token: String, of list: String
  ) throws(RPCError) -> (createdAt: Int64, requestID: String) {
    let parts = PageToken.decode(token, of: list)?.split(separator: " ", maxSplits: 1) ?? []
    guard parts.count == 2, let createdAt = Int64(parts[0]) else { throw foreignToken() }
    return (createdAt, String(parts[1]))
  }
}

extension Omsconnector.V1.ShipmentRequest {
  fileprivate init(_ request: ShipmentRequest) {
    self.init(
      requestId: request.requestID, incrementId: request.incrementID, sourceId: request.sourceID,
      shippingMethod: request.shippingMethod, createdAt: .init(nanosecondsSinceEpoch: request.createdAt),
      lines: request.lines.map {
        .init(lineNumber: Int32(clamping: $0.number), sku: $0.sku, name: $0.name, status: $0.status)
      })
  }
}
