import Messages
import RPC
import Storage

/// What the OMS is asked to do with an order that it has (messages.md §4.5).
struct OrderCommand {
  static let cancel = ExportOrders.cancel
  static let cancelLine = "magento.sales.order_management.cancel_line"
  static let comment = "magento.sales.order_management.create_comment"
  static let setAttributes = "magento.sales.order_management.update_custom_attributes"
  static let setLineAttributes = "magento.sales.order_management.update_line_custom_attributes"
  static let setShippingAddress = "magento.sales.order_management.update_shipping_address"

  let method: String
  let body: [UInt8]

  init(_ method: String, _ params: some Message) {
    self.method = method
    body = Array(params.json().utf8)
  }

  /// Behind everything else about the order.
  func message(about incrementID: String) -> OutboxMessage {
    OutboxMessage(method: method, key: incrementID, route: .delegate, body: body)
  }
}

extension SalesService {
  /// Asks the OMS for something; returns when the message is durable.
  ///
  /// - Parameters:
  ///   - request: what makes the call the same as another one; nil for none.
  ///   - commands: of the order and its lines as they are; one at least.
  /// - Returns: the delivery id of the last message: as they go in order, it ends when all have.
  func send(
    _ incrementID: String, request: Delivery? = nil,
    _ commands: @escaping @Sendable (SalesOrder, [SalesLine]) throws -> [OrderCommand]
  ) async throws -> String {
    try Self.check(incrementID, "increment_id")
    let store = store
    do {
      let id = try await store.database.write(weight: 4, key: incrementID) { connection -> [UInt8] in
        let send = { (connection: Connection) -> (value: Void, result: [UInt8]) in
          guard let order = try store.order(connection, incrementID) else { throw Self.notFound(incrementID) }
          guard order.exportState.isWithOMS else { throw Self.notWithOMS(order) }
          var id = ""
          for command in try commands(order, try store.lines(connection, of: incrementID)) {
            id = try store.outbox.add(connection, command.message(about: incrementID))
          }
          return ((), Array(id.utf8))
        }
        guard let request else { return try send(connection).result }
        return try Inbox.once(connection, request, effect: send).result
      }
      added()
      return String(decoding: id, as: UTF8.self)
    } catch {
      throw RPCError(sales: error)
    }
  }

  /// A client's request that has an id; nil when it has none.
  static func delivery(
    of request: some Message, _ context: ServerContext, id: String
  ) throws(RPCError) -> Delivery? {
    if id.isEmpty { return nil }
    try checkLength(id, "request_id")
    return Delivery(requestID: id, method: context.path, content: request.serialized())
  }

  /// The line, or INVALID_ARGUMENT.
  static func line(_ number: Int32, of order: SalesOrder, _ lines: [SalesLine]) throws(RPCError) -> SalesLine {
    guard let line = lines.first(where: { $0.number == Int(number) }) else {
      throw .invalid(
        field: "line_number", "order \(order.incrementID) has no line \(number); it has \(lines.count)")
    }
    return line
  }

  private static func notWithOMS(_ order: SalesOrder) -> RPCError {
    .precondition(
      "ORDER_NOT_WITH_OMS",
      "order \(order.incrementID) is not with the OMS: it "
        + (order.exportState == .held ? "waits (\(order.reason))" : "was refused (\(order.reason))")
        + "; change it in the shop")
  }
}
