import EventLoop
import Messages
import RPC
import ServiceKit
import Storage
import Stubs

/// `omsconnector.v1.SalesService`.
struct SalesService: Omsconnector.V1.SalesService {
  typealias V1 = Omsconnector.V1

  /// Bytes of an id, a user's name and the like.
  static let nameBytes = 256
  /// Bytes of a comment or an attribute's value.
  static let textBytes = 4_096

  let store: SalesStore
  let export: ExportOrders
  /// nil without a shop.
  let shop: ShopOrders?
  /// Told when messages have been added to the outbox.
  let added: @Sendable () -> Void
  /// Told when an order's shop side has to be looked at.
  let resumed: @Sendable () -> Void

  /// The order, or NOT_FOUND.
  func known(_ incrementID: String) async throws -> SalesOrder {
    try Self.check(incrementID, "increment_id")
    guard let order = try await store.order(incrementID) else { throw Self.notFound(incrementID) }
    return order
  }

  /// The order with its lines and attributes, as it is answered.
  func message(of incrementID: String) async throws -> V1.Order {
    let store = store
    let found = try await store.database.read { connection -> V1.Order? in
      guard let order = try store.order(connection, incrementID) else { return nil }
      return V1.Order(
        order, lines: try store.lines(connection, of: incrementID),
        attributes: try store.attributes(connection, of: incrementID),
        documents: try store.documents(connection, of: incrementID),
        payments: try store.stuckPayments(connection, of: incrementID))
    }
    guard let found else { throw Self.notFound(incrementID) }
    return found
  }

  static func notFound(_ incrementID: String) -> RPCError {
    RPCError(
      .notFound,
      "order \"\(quotable(incrementID))\" is not known here; omsctl orders export \(quotable(incrementID)) "
        + "reads it from the shop")
  }

  static func check(_ text: String, _ field: String, limit: Int = nameBytes) throws(RPCError) {
    if text.isEmpty { throw .invalid(field: field, "\(field) is missing") }
    try checkLength(text, field, limit: limit)
  }

  static func checkLength(_ text: String, _ field: String, limit: Int = nameBytes) throws(RPCError) {
    if text.utf8.count > limit {
      throw .invalid(field: field, "\(field) has \(text.utf8.count) bytes; at most \(limit)")
    }
    if hasNUL(text) { throw .invalid(field: field, "\(field) has a NUL character") }
  }
}

extension RPCError {
  /// The status for whatever the use cases throw.
  init(sales error: any Error) {
    switch error {
    case is RequestIDReused:
      self.init(
        .alreadyExists, "request_id was used for another request; send each request under an id of its own",
        details: [.errorInfo(reason: "REQUEST_ID_REUSED", domain: "omsconnector")])
    default: self.init(storing: error, what: "the order")
    }
  }

  /// What can't be done in the state in which something is.
  static func precondition(_ reason: String, _ message: String) -> RPCError {
    RPCError(.failedPrecondition, message, details: [.errorInfo(reason: reason, domain: "omsconnector")])
  }
}
