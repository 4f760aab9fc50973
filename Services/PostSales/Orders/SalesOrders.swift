import Commerce
import Messages
import RPC
import Stubs

/// The order book over RPC.
struct SalesOrders: OrderBook {
  static let timeout = Duration.seconds(30)

  let channel: Channel

  func order(_ incrementID: String) async throws -> KnownOrder? {
    do {
      let response = try await channel.unary(
        Omsconnector.V1.SalesServiceMethods.getOrder, .init(incrementId: incrementID),
        options: CallOptions(timeout: Self.timeout))
      return try response.order.map { try KnownOrder($0) }
    } catch let error as RPCError where error.code == .notFound {
      return nil
    }
  }

  func resume(_ incrementID: String) async throws {
    do {
      _ = try await channel.unary(
        Omsconnector.V1.SalesServiceMethods.resumeOrder, .init(incrementId: incrementID, lookOnly: true),
        options: CallOptions(timeout: Self.timeout))
    } catch let error as RPCError where error.code == .notFound {
      // Nobody's status is to be kept.
    }
  }
}

extension KnownOrder {
  /// - Throws: INTERNAL when an amount is none.
  init(_ message: Omsconnector.V1.Order) throws(RPCError) {
    func number(_ value: Google.Types.Decimal?, _ field: String, otherwise: Decimal) throws(RPCError) -> Decimal {
      guard let value, !value.value.isEmpty else { return otherwise }
      guard let number = Decimal(value) else {
        throw RPCError(.internalError, "sales answers order \(message.incrementId) with \(field) \"\(value.value)\"")
      }
      return number
    }
    var lines: [Line] = []
    for line in message.lines {
      lines.append(
        Line(
          number: Int(line.lineNumber), itemID: line.orderItemId, sku: line.sku, kind: line.productType,
          quantity: try number(line.quantity, "a quantity of", otherwise: 1),
          gross: try number(line.grossAmount, "a gross amount of", otherwise: 0),
          parent: Int(line.parentLineNumber), isShipped: line.shipped, isCancelled: line.cancelled))
    }
    self.init(
      incrementID: message.incrementId, entityID: message.entityId, currency: message.currency,
      salesChannel: message.salesChannel, lines: lines,
      isWithOMS: message.exportState != .held && message.exportState != .failed,
      sentAt: message.exportedAt?.nanosecondsSinceEpoch)
  }
}
