import Messages
import RPC
import ServiceKit
import Storage
import Stubs

extension PostSalesService {
  func authorizeReturn(
    _ request: Omsconnector.V1.AuthorizeReturnRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.AuthorizeReturnResponse {
    guard request.entityId > 0 else {
      throw RPCError.invalid(
        field: "entity_id", "entity_id \(request.entityId) is none; send Magento's entity id of the return")
    }
    do {
      let record = try await authorize(request.entityId)
      return .init(return: .init(record), deliveryId: record.deliveryID)
    } catch {
      throw RPCError(postSales: error)
    }
  }

  func getReturn(
    _ request: Omsconnector.V1.GetReturnRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.GetReturnResponse {
    guard request.rma.isEmpty != (request.entityId == 0) else {
      throw RPCError.invalid(field: "rma", "send either rma, the OMS's id, or entity_id, Magento's")
    }
    let returns = returns
    let found = try await stored { connection in
      hasNUL(request.rma)
        ? nil
        : try returns.find(rma: request.rma, connection) ?? returns.find(entityID: request.entityId, connection)
    }
    guard let found else {
      throw RPCError(
        .notFound,
        "no return \"\(request.rma.isEmpty ? "\(request.entityId)" : quotable(request.rma))\" is known; see ListReturns"
      )
    }
    return .init(return: .init(found))
  }

  func listReturns(
    _ request: Omsconnector.V1.ListReturnsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListReturnsResponse {
    let limit = try Self.limit(request.pageSize)
    let list = "returns \(request.needsAttention)"
    let place = try Self.place(request.pageToken, of: list)
    let returns = returns
    return try await stored { connection in
      let found = try returns.page(
        needsAttention: request.needsAttention, before: place, limit: limit + 1, connection)
      let page = found.prefix(limit)
      let next = found.count > limit ? page.last.map { "\($0.createdAt) \($0.key)" } : nil
      return .init(
        returns: page.map { record in
          var shown = Omsconnector.V1.Return(record)
          shown.lines = []
          return shown
        }, nextPageToken: next.map { PageToken.encode(after: $0, of: list) } ?? "")
    }
  }

  func setReturnAttributes(
    _ request: Omsconnector.V1.SetReturnAttributesRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.SetReturnAttributesResponse {
    do {
      return .init(deliveryId: try await setAttributes(request))
    } catch {
      throw RPCError(postSales: error)
    }
  }
}

extension Omsconnector.V1.Return {
  init(_ record: ReturnRecord) {
    self.init(
      rma: record.rma, incrementId: record.incrementID, entityId: record.entityID,
      state: .init(rawValue: Int32(record.state.rawValue)), omsStatus: record.omsStatus,
      omsStatusAt: record.statusAt == 0 ? nil : .init(nanosecondsSinceEpoch: record.statusAt), blind: record.isBlind,
      reason: record.reason, needsAttention: record.needsAttention, trackingNumber: record.tracking.number,
      trackingCarrier: record.tracking.carrier,
      lines: record.lines.map {
        .init(
          lineNumber: Int32(clamping: $0.number), orderItemId: $0.itemID, sku: $0.sku, reason: $0.reason,
          condition: $0.condition, status: $0.status)
      }, createdAt: .init(nanosecondsSinceEpoch: record.createdAt))
  }
}
