import Commerce

/// An order as the sales service has exported it: what the OMS's line numbers stand for.
struct KnownOrder: Sendable, Equatable {
  struct Line: Sendable, Equatable {
    var number: Int
    /// The shop's order item; 0 of shipping and services.
    var itemID: Int64
    var sku: String
    /// PHYSICAL, VIRTUAL, BUNDLE, SERVICE or SHIPPING.
    var kind: String
    /// 1, or the whole row where it was not taken apart.
    var quantity: Decimal
    /// In the order's currency.
    var gross: Decimal
    /// Of a bundle's part; 0 of others.
    var parent: Int = 0
    var isShipped = false
    var isCancelled = false

    /// Whether it is goods, which a customer can give back.
    var isProduct: Bool { ["PHYSICAL", "VIRTUAL"].contains(kind) }
  }

  var incrementID: String
  /// The shop's; 0 of an order that the shop doesn't have.
  var entityID: Int64
  var currency: String
  var salesChannel: String
  var lines: [Line]
  /// Whether the OMS has it, as far as is known: neither waits it here, nor has the OMS refused it.
  var isWithOMS = true
  /// When it was sent to the OMS; nanoseconds since 1970, nil for never.
  var sentAt: Int64?

  func line(_ number: Int) -> Line? { lines.first { $0.number == number } }
}

/// The sales service, as this one needs it.
protocol OrderBook: Sendable {
  /// - Returns: nil when no order of that number was exported.
  /// - Throws: when the service is away.
  func order(_ incrementID: String) async throws -> KnownOrder?

  /// Has the order's status set again: a refund resets it to its state's default (magento-rules.md §1).
  func resume(_ incrementID: String) async throws
}
