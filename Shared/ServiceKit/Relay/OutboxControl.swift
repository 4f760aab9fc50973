import Messages
import RPC
import Storage
import Stubs

/// `omsconnector.internal.v1.OutboxService`: what waits in a service's outbox, and what the gateway refused of it. Made by
/// ``OutboxRelay/start(_:in:of:)``.
struct OutboxControl: Omsconnector.Internal.V1.OutboxService {
  static let largestPage = 1_000
  /// A page ends here, far from a message's limit of 4 MiB.
  static let pageBytes = 1 << 20

  let outbox: Outbox
  let database: Database
  /// Told when messages are in the outbox again.
  let added: @Sendable () -> Void

  func getOutbox(
    _ request: Omsconnector.Internal.V1.GetOutboxRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.GetOutboxResponse {
    let depth = try await storing { try await database.read { [outbox] in try outbox.depth($0) } }
    return .init(
      outbox: .init(
        service: outbox.service, depth: Int64(depth.waiting), more: depth.isMore,
        oldestAddedAt: depth.oldestCreatedAt.map { .init(nanosecondsSinceEpoch: $0) }, refused: Int64(depth.refused)))
  }

  func listRefused(
    _ request: Omsconnector.Internal.V1.ListRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.ListRefusedResponse {
    guard (1...Self.largestPage).contains(Int(request.limit)) else {
      throw RPCError.invalid(field: "limit", "limit \(request.limit) is not from 1 to \(Self.largestPage)")
    }
    let rows = try await storing {
      try await database.read { [outbox] connection in
        let after = request.afterDeliveryId.isEmpty ? 0 : try outbox.known(request.afterDeliveryId, connection)
        return try outbox.refused(
          connection, after: after, limit: Int(request.limit), showsHandled: request.showHandled)
      }
    }
    var response = Omsconnector.Internal.V1.ListRefusedResponse()
    var bytes = 0
    for row in rows {
      let message = Omsconnector.V1.RefusedMessage(row, service: outbox.service)
      bytes += message.serialized().count
      if bytes > Self.pageBytes, !response.messages.isEmpty { break }
      response.messages.append(message)
    }
    return response
  }

  func getRefused(
    _ request: Omsconnector.Internal.V1.GetRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.GetRefusedResponse {
    let (row, body) = try await found(request.deliveryId)
    return .init(message: .init(row, service: outbox.service), body: body)
  }

  func retryRefused(
    _ request: Omsconnector.Internal.V1.RetryRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.RetryRefusedResponse {
    let handler = request.retriedBy
    if request.deliveryId.isEmpty { return try await retryAll(by: handler) }
    let id = try await found(request.deliveryId).row.id
    let weight = 1 + Outbox.maximumBodyBytes / 1_024
    let retried = try await storing {
      try await database.write(weight: weight) { [outbox] in try outbox.retryRefused($0, id: id, by: handler) }
    }
    guard let retried else { throw try await handled(request.deliveryId) }
    added()
    return .init(retried: 1, deliveryId: retried)
  }

  /// What is refused once more meanwhile gets a higher number, and so is not tried for ever.
  private func retryAll(by handler: String) async throws -> Omsconnector.Internal.V1.RetryRefusedResponse {
    var response = Omsconnector.Internal.V1.RetryRefusedResponse()
    guard let last = try await storing({ try await database.read { [outbox] in try outbox.lastOpenRefused($0) } })
    else {
      return response
    }
    while true {
      let retried = try await storing {
        try await database.write(weight: 64) { [outbox] in try outbox.retryRefused($0, through: last, by: handler) }
      }
      guard let newest = retried.last else { return response }
      response.retried += Int64(retried.count)
      response.deliveryId = newest
      added()
    }
  }

  func discardRefused(
    _ request: Omsconnector.Internal.V1.DiscardRefusedRequest, context: ServerContext
  ) async throws -> Omsconnector.Internal.V1.DiscardRefusedResponse {
    let row = try await found(request.deliveryId).row
    if row.state == .discarded, row.outcome == request.reason {
      return .init(message: .init(row, service: outbox.service))
    }
    let isDone = try await storing {
      try await database.write { [outbox] in
        try outbox.discardRefused($0, id: row.id, reason: request.reason, by: request.discardedBy)
      }
    }
    guard isDone else { throw try await handled(request.deliveryId) }
    return .init(message: .init(try await found(request.deliveryId).row, service: outbox.service))
  }

  private func found(_ deliveryID: String) async throws -> (row: RefusedRow, body: [UInt8]) {
    let found = try await storing {
      try await database.read { [outbox] connection in
        try outbox.refused(connection, id: try outbox.known(deliveryID, connection))
      }
    }
    guard let found else {
      throw RPCError(
        .notFound,
        "\(outbox.service) has no refused message \(JSONText.quoted(deliveryID, limit: 100)): it keeps them for 60 days"
      )
    }
    return found
  }

  private func handled(_ deliveryID: String) async throws -> RPCError {
    let row = try await found(deliveryID).row
    let what = row.state == .retried ? "was retried as \(row.outcome)" : "was discarded: \(row.outcome)"
    return RPCError(.failedPrecondition, "message \(deliveryID) \(what)")
  }

  private func storing<Value>(_ body: () async throws -> Value) async throws(RPCError) -> Value {
    do { return try await body() } catch { throw RPCError(storing: error, what: "the outbox") }
  }
}

extension Outbox {
  /// The row of a delivery id.
  ///
  /// - Throws: NOT_FOUND when this outbox did not give it.
  fileprivate func known(_ deliveryID: String, _ connection: Connection) throws -> Int64 {
    guard let row = try row(of: deliveryID, connection) else {
      throw RPCError(
        .notFound, "\(JSONText.quoted(deliveryID, limit: 100)) is no delivery id of this outbox; see omsctl outbox list"
      )
    }
    return row
  }
}

extension Omsconnector.V1.RefusedMessage {
  fileprivate init(_ row: RefusedRow, service: String) {
    self.init(
      deliveryId: row.deliveryID, service: service, method: row.method, key: row.key, route: row.route.name,
      addedAt: .init(nanosecondsSinceEpoch: row.createdAt), refusedAt: .init(nanosecondsSinceEpoch: row.refusedAt),
      reason: row.reason, state: .init(rawValue: Int32(row.state?.rawValue ?? 0)), handledBy: row.handledBy,
      handledAt: row.handledAt.map { .init(nanosecondsSinceEpoch: $0) }, outcome: row.outcome, size: row.bytes)
  }
}

extension OutboxRoute {
  fileprivate var name: String {
    switch self {
    case .remote: "remote"
    case .delegate: "delegate"
    case .events: "events"
    default: "\(rawValue)"
    }
  }
}
