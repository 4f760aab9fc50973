/// Where the OMS is with an order (messages.md §5). The list is open: what is unknown is kept as it came.
struct OrderStatus: Equatable, Sendable {
  /// Upper case, as in `LOGISTICS`.
  let code: String
  /// Upper case, as in `READYTOSHIP`; empty when none was given.
  let reason: String

  init(code: String, reason: String = "") {
    self.code = Self.normalised(code)
    self.reason = Self.normalised(reason)
  }

  static let none = OrderStatus(code: "")

  private static func normalised(_ text: String) -> String {
    String(text.uppercased().filter { !$0.isWhitespace })
  }

  /// As in `ONHOLD (PENDING_REMORSE_TIME)`.
  var text: String { reason.isEmpty || reason == "NONE" ? code : "\(code) (\(reason))" }

  /// Nothing more will be shipped.
  var isTerminal: Bool {
    ["COMPLETE", "CANCELLED", "CANCELED", "REJECTED", "ABORTED", "INCOMPLETE"].contains(code)
  }

  /// The order as a whole ended without anything sent.
  var cancelsAll: Bool {
    ["CANCELLED", "CANCELED", "REJECTED", "ABORTED"].contains(code)
      || (code == "COMPLETE" && reason == "FULLYCANCELLED")
  }

  /// Everything that was ordered has been sent.
  var shipsAll: Bool { code == "COMPLETE" && ["FULLYSHIPPED", "COMPLETEDSHIP"].contains(reason) }

  /// The warehouse has it, or had it.
  var isInLogistics: Bool {
    code.hasPrefix("LOGISTICS") || code.hasPrefix("PICK") || ["COMPLETE", "PARTIALLY_COMPLETE"].contains(code)
  }

  /// The OMS could not take the order in.
  var failsImport: Bool { code == "ERROR" && reason == "IMPORTFAIL" }

  /// How far along an order with this status is. Of two updates with the same time the one that is further along counts.
  var rank: Int {
    switch code {
    case "NEW", "NEW_ORDER", "RECEIVED": 1
    case "APPROVED", "AUTHORIZED": 2
    case "ONHOLD": 3
    case "LOGISTICS", "PRE_CANCELLATION": 4
    case "PICKREADY", "PICKCONFIRMED", "PARTIALLY_COMPLETE": 5
    case "LOGISTICSCOMPLETE": 6
    case "ERROR": 7
    case "": 0
    default: isTerminal ? 9 : 2
    }
  }

  /// The order status that the merchant has made in the shop for it; nil where Magento's own says it
  /// (magento-rules.md §6, "Statuses").
  ///
  /// - Parameter hasShipped: whether a part of the order has left.
  func shopStatus(hasShipped: Bool) -> String? {
    switch code {
    case "": nil
    case "ERROR": "oms_error"
    case "ONHOLD": "oms_on_hold"
    case _ where isTerminal: nil
    case _ where hasShipped: "oms_part_shipped"
    case _ where isInLogistics: "oms_fulfilment"
    default: "oms_received"
    }
  }

  /// All that ``shopStatus(hasShipped:)`` can answer: what a merchant has to make, and assign to `new` and `processing`.
  static let shopStatuses = ["oms_received", "oms_on_hold", "oms_fulfilment", "oms_part_shipped", "oms_error"]
}
