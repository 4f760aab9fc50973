import Commerce

/// What the OMS has told of an order so far: the state that the shop is to be brought to.
struct FulfilmentLedger: Equatable, Sendable {
  var incrementID: String
  /// The shop's id of the order.
  var entityID: Int64
  /// Whether the OMS has it: otherwise there is nothing to follow, and only something to say.
  var isWithOMS = true
  /// Code of the website that it was bought on.
  var website: String
  /// The OMS's sales channel.
  var channel = ""
  /// How the money comes in: of the payment method.
  var payment: Mapping.PaymentMethod
  /// Nanoseconds since 1970.
  var createdAt: Int64
  var status: OrderStatus
  /// When the OMS set the status; nanoseconds since 1970.
  var statusAt: Int64
  /// When that status arrived here.
  var statusReceivedAt: Int64
  var lines: [Line]
  /// In the order in which they arrived.
  var shipments: [Shipment]
  /// What is to be said on the order in the shop, the oldest first.
  var comments: [Comment] = []

  /// A line of the order as it was exported, see ``LedgerLine``.
  struct Line: Equatable, Sendable {
    var number: Int
    /// In the order's currency.
    var gross: Decimal = 0
    /// The shop's order item; nil for shipping and services.
    var itemID: Int64?
    /// The line of the bundle that it belongs to.
    var parent: Int?
    var sku: String
    var kind: SoldItem.Kind
    /// 1, or that of the whole row.
    var quantity: Decimal
    /// Of a bundle: whether its parts leave the warehouse together.
    var shipsTogether = false
    /// Units that have left, by their shipment's key.
    var shipped: [String: Decimal] = [:]
    /// What of it has not left is cancelled.
    var isCancelled = false
    /// The OMS is through with the order and has said of what has not left not even that it is cancelled: it counts as cancelled.
    var isMissing = false
    /// The OMS says that it has left; the shipment's own message may come later.
    var isSaidShipped = false

    /// Goods, which are shipped, cancelled or given out.
    var isArticle: Bool { itemID != nil && kind != .bundle }
    var hasShipped: Bool { !shipped.isEmpty }
    var unshipped: Decimal { max(quantity - shipped.values.sum(), 0) }
    /// Units that are not sent any more.
    var cancelled: Decimal { isCancelled ? unshipped : 0 }
    var isSettled: Bool { isCancelled || unshipped.isZero }
    /// Goods that have not all left or been cancelled.
    var isOpenGoods: Bool { isArticle && !isSettled && kind != .virtual }
  }

  /// Parcels that have left together: one message of the OMS, one shipment in the shop.
  struct Shipment: Equatable, Sendable {
    /// What makes it unique within the order: the shipment request's id.
    var key: String
    /// As the shop keeps them, one per package.
    var tracks: [Track]
    /// Whether the shop has all of it.
    var isDone: Bool
    /// Told of by a replay, of which customers get no mails.
    var isSilent = false
  }

  struct Track: Equatable, Sendable {
    var number: String
    var title: String
  }

  struct Comment: Equatable, Sendable {
    var id: Int64
    var text: String
  }

  func line(_ number: Int) -> Line? { lines.first { $0.number == number } }

  /// Whether every article has been shipped or cancelled.
  var isSettled: Bool { lines.allSatisfy { !$0.isArticle || $0.isSettled } }

  /// Whether every article that can be shipped has been, or was cancelled.
  var nothingIsLeftToShip: Bool {
    lines.allSatisfy { !$0.isArticle || $0.kind == .virtual || $0.isSettled }
  }

  var openGoods: [Line] { lines.filter(\.isOpenGoods) }

  /// A parcel that the OMS has announced in its status may be that late, in nanoseconds.
  static let parcelPatience: Int64 = 15 * 60 * 1_000_000_000

  /// Whether the OMS has been through with it for so long that nothing of it is coming any more.
  func isOverdue(now: Int64) -> Bool { status.isTerminal && now - statusReceivedAt >= Self.parcelPatience }

  var hasShipped: Bool { lines.contains(where: \.hasShipped) }

  /// Downloads and codes come with the first parcel; where there is nothing to send, or nothing more, they wait for the OMS to
  /// hand the order to logistics (magento-rules.md §6, "Virtual-only").
  var givesOutVirtual: Bool { hasShipped || (nothingIsLeftToShip && status.isInLogistics) }
}
