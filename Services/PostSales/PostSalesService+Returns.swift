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
    let returns = returns
    return .init(
      return: .init(try await stored { try Self.known(request.rma, request.entityId, returns, $0) }))
  }

  func resumeReturn(
    _ request: Omsconnector.V1.ResumeReturnRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ResumeReturnResponse {
    let returns = returns
    do {
      let record = try await database.write { connection in
        var record = try Self.known(request.rma, request.entityId, returns, connection)
        let before = record
        record.resume()
        if record != before { try returns.save(record, connection) }
        // One that the OMS was asked for and has not answered waits for it alone.
        if !record.rma.isEmpty {
          try ReturnWork.queue.add(connection, record.key)
        } else if !record.isAsked, record.state == .requested {
          try AuthorizeReturn.queue.add(connection, "\(record.entityID)")
        }
        return record
      }
      returnDue()
      return .init(return: .init(record))
    } catch {
      throw RPCError(postSales: error)
    }
  }

  /// - Throws: `RPCError`: INVALID_ARGUMENT, NOT_FOUND.
  private static func known(
    _ rma: String, _ entityID: Int64, _ returns: ReturnStore, _ connection: Connection
  ) throws -> ReturnRecord {
    guard rma.isEmpty != (entityID == 0) else {
      throw RPCError.invalid(field: "rma", "send either rma, the OMS's id, or entity_id, Magento's")
    }
    let found =
      hasNUL(rma) ? nil : try returns.find(rma: rma, connection) ?? returns.find(entityID: entityID, connection)
    guard let found else {
      throw RPCError(
        .notFound, "no return \"\(rma.isEmpty ? "\(entityID)" : quotable(rma))\" is known; see ListReturns")
    }
    return found
  }

  func listReturns(
    _ request: Omsconnector.V1.ListReturnsRequest, context: ServerContext
  ) async throws -> Omsconnector.V1.ListReturnsResponse {
    let asked = try PageRequest(
      size: request.pageSize, token: request.pageToken, of: "returns \(request.needsAttention)")
    let place = try asked.timedPlace()
    let returns = returns
    return try await stored { connection in
      let found = try returns.page(
        needsAttention: request.needsAttention, before: place.map { ($0.at, $0.key) }, limit: asked.limit + 1,
        connection)
      let (page, next) = asked.page(found) { PageRequest.timed($0.createdAt, $0.key) }
      return .init(
        returns: page.map { record in
          var shown = Omsconnector.V1.Return(record)
          shown.lines = []
          return shown
        }, nextPageToken: next)
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
          condition: $0.condition, status: $0.status, quantity: $0.quantity?.message)
      }, createdAt: .init(nanosecondsSinceEpoch: record.createdAt), attributes: .init(record.attributes))
  }
}

extension [Omsconnector.V1.PostSalesAttribute] {
  init(_ attributes: [Attribute]) { self = attributes.map { .init(name: $0.name, value: $0.value) } }
}
