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
    let asked = try PageRequest(
      size: request.pageSize, token: request.pageToken, of: "shipment requests \(request.open)")
    let place = try asked.timedPlace().map { (createdAt: $0.at, requestID: $0.key) }
    do {
      let store = store
      let found = try await store.database.read {
        try store.shipmentRequests($0, open: request.open, after: place, limit: asked.limit + 1)
      }
      let (requests, next) = asked.page(found) { PageRequest.timed($0.createdAt, $0.requestID) }
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
        let lines = try store.lines(connection, of: current.incrementID)
        let quantities = Dictionary(lines.map { ($0.number, $0.quantity) }) { first, _ in first }
        let (changed, ids) = try report.apply(to: current, quantities) { try store.outbox.add(connection, $0) }
        try store.save(connection, changed)
        return ids
      }
      added()
      return .init(deliveryIds: ids)
    } catch {
      throw RPCError(sales: error)
    }
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
